import { expect, test } from "bun:test"
import { PassThrough } from "node:stream"
import { createTerminal } from "../../../src/lib/terminal.ts"
import { waitFor } from "../../support/wait.ts"

test("without a terminal a question is an error that says what to do, and nothing is printed", async () => {
  const output = new PassThrough()
  const terminal = createTerminal(false, () => ({ input: new PassThrough(), output }))
  expect(terminal.interactive).toBe(false)
  await expect(terminal.confirm("launch?", "pass --yes")).rejects.toMatchObject({ exitCode: 2, hint: "pass --yes" })
  await expect(terminal.askSecret("token?", "TOKEN")).rejects.toMatchObject({ exitCode: 2, code: "no-terminal" })
  expect(output.read()).toBeNull()
})

function pretendTerminal() {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 })
  const shown: string[] = []
  output.on("data", (chunk) => shown.push(String(chunk)))
  const screen = () => Bun.stripANSI(shown.join(""))
  return { input, screen, terminal: createTerminal(true, () => ({ input, output })) }
}

test("a secret is not shown while it is typed", async () => {
  const { input, screen, terminal } = pretendTerminal()
  const asked = terminal.askSecret("value of TOKEN", "TOKEN")
  await waitFor("the question", () => screen().includes("value of TOKEN"))
  input.write("hunter2")
  input.write("\r")
  expect(await asked).toBe("hunter2")
  expect(screen()).not.toMatch(/hunter|\*{2}|▪/)
})

test.each([
  ["\r", false],
  ["n", false],
  ["y", true],
])("the key %p answers %p", async (key, wanted) => {
  const { input, screen, terminal } = pretendTerminal()
  const asked = terminal.confirm("launch?", "pass --yes")
  await waitFor("the question", () => screen().includes("launch?"))
  input.write(key)
  expect(await asked).toBe(wanted)
})

test("control-C cancels with 130", async () => {
  const { input, screen, terminal } = pretendTerminal()
  const asked = terminal.confirm("launch?", "pass --yes")
  await waitFor("the question", () => screen().includes("launch?"))
  input.write("\u0003")
  await expect(asked).rejects.toMatchObject({ exitCode: 130 })
})

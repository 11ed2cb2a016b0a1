import { expect, test } from "bun:test"
import { join } from "node:path"

const stdio = join(import.meta.dir, "..", "..", "..", "src", "lib", "stdio.ts")
const run = (script: string) =>
  Bun.spawn(
    [process.execPath, "-e", `import { byteSink, isTerminal, writeAll } from ${JSON.stringify(stdio)}; ${script}`],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: { PATH: process.env.PATH },
    },
  )

test("everything is written, however much and however slow the reader", async () => {
  const child = run('writeAll(1, "x".repeat(3_000_000) + "end")')
  await Bun.sleep(50)
  const text = await child.stdout.text()
  expect(text.length).toBe(3_000_003)
  expect(text.endsWith("end")).toBe(true)
})

test("a sink asks to wait while its reader is slow, and writes all in the end", async () => {
  const child = run(`
    const sink = byteSink(1); let waits = 0
    for (let i = 0; i < 300; i++) { const slow = sink.write(new Uint8Array(10_000)); if (slow) { waits++; await slow } }
    writeAll(2, String(waits))`)
  await Bun.sleep(100)
  expect((await child.stdout.bytes()).length).toBe(3_000_000)
  expect(Number(await child.stderr.text())).toBeGreaterThan(0)
})

test("a reader that is gone is an error with its name", async () => {
  const child = run(
    'await Bun.sleep(200); try { writeAll(1, "x".repeat(1_000_000)) } catch (error) { writeAll(2, error.code) }',
  )
  await child.stdout.cancel()
  expect(await child.stderr.text()).toBe("EPIPE")
})

test("a pipe is no terminal", async () => {
  expect(await run("writeAll(1, String(isTerminal(0) || isTerminal(1)))").stdout.text()).toBe("false")
})

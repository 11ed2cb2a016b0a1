import { describe, expect, test } from "bun:test"
import { resolveSecrets, type SecretDeps } from "../../../src/bottle/secrets.ts"
import { BottleError } from "../../../src/lib/errors.ts"

function deps(change: Partial<SecretDeps> = {}): SecretDeps {
  return {
    env: {},
    sources: {},
    runCommand: async () => "from-command",
    readKeyring: async () => "from-keyring",
    ask: async (question) => `answer to ${question}`,
    ...change,
  }
}

describe("a slot's value", () => {
  test("comes from the caller's environment first", async () => {
    const both = deps({ env: { TOKEN: "from-env" }, sources: { TOKEN: { command: ["pass", "show"] } } })
    expect((await resolveSecrets(["TOKEN"], {}, both)).slots).toEqual({ TOKEN: "from-env" })
  })
  test("comes from the settings' command, then from the keyring entry they name", async () => {
    const sources = { A: { command: ["pass"] }, B: { keyring: "b" } }
    expect((await resolveSecrets(["A", "B"], {}, deps({ sources }))).slots).toEqual({
      A: "from-command",
      B: "from-keyring",
    })
  })
  test("that is nowhere is named with the three ways, all at once and without a value", async () => {
    const failure = await resolveSecrets(["A", "B"], {}, deps({ env: { C: "hidden" } })).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(BottleError)
    const { message, hint, exitCode } = failure as BottleError
    expect(message).toBe("no value for A, B")
    expect(hint).toBe("export A=…, or: bottle secret set A, or settings.yml: secrets: {A: {command: […]}}")
    expect(exitCode).toBe(4)
  })
  test("that is empty counts as missing", async () => {
    await expect(resolveSecrets(["A"], {}, deps({ env: { A: "" } }))).rejects.toThrow("no value for A")
  })
  test("is not looked up among the properties every object has", async () => {
    await expect(resolveSecrets(["constructor"], {}, deps())).rejects.toThrow("no value for constructor")
  })
})

describe("an environment entry", () => {
  test("is taken as written, from the host, or asked for", async () => {
    const env = {
      PLAIN: { kind: "literal", value: "x" },
      HOST: { kind: "host", name: "OTHER" },
      ASKED: { kind: "ask", question: "how?" },
    } as const
    const { env: values } = await resolveSecrets([], env, deps({ env: { OTHER: "from-host" } }))
    expect(values).toEqual({ PLAIN: "x", HOST: "from-host", ASKED: "answer to how?" })
  })
  test("is not asked for when another is missing anyway", async () => {
    let asked = 0
    const ask = async () => `${++asked}`
    const env = { ASKED: { kind: "ask", question: "" }, HOST: { kind: "host", name: "NOWHERE" } } as const
    await expect(resolveSecrets([], env, deps({ ask }))).rejects.toThrow("NOWHERE")
    expect(asked).toBe(0)
  })
})

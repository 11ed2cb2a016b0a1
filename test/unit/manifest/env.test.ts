// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax under test
import { afterAll, expect, test } from "bun:test"
import { failureOf, makeManifestHome } from "./manifest-home.ts"

const home = makeManifestHome()
afterAll(() => home.remove())

async function readEnv(yaml: string) {
  home.bottle("dev", yaml)
  return (await home.manifests.loadBottles(["dev"])).env
}

test("numbers and booleans under env are the text that was written", async () => {
  const env = await readEnv(
    "env:\n  A: 1.50\n  B: true\n  C: 0o17\n  D: 12345678901234567890\n  E: yes\n  F: 007\n  G: ''\n  H: 'null'",
  )
  const values = Object.fromEntries(
    Object.entries(env).map(([name, mode]) => [name, mode.kind === "literal" && mode.value]),
  )
  expect(values).toEqual({
    A: "1.50",
    B: "true",
    C: "0o17",
    D: "12345678901234567890",
    E: "yes",
    F: "007",
    G: "",
    H: "null",
  })
})

test("values are asked, taken from the host, or literal", async () => {
  expect(await readEnv('env:\n  A: "?"\n  B: ?which one\n  C: ${HOST_NAME}\n  D: $${HOST_NAME}')).toEqual({
    A: { kind: "ask", question: "" },
    B: { kind: "ask", question: "which one" },
    C: { kind: "host", name: "HOST_NAME" },
    D: { kind: "literal", value: "${HOST_NAME}" },
  })
})

test("a value with a NUL is refused, since no program could be given it", async () => {
  const failure = await failureOf(readEnv('env: { A: "a\\0b" }'))
  expect(failure.message).toBe("bottles/dev.md:2:11 env.A: cannot hold a NUL")
})

test("names that objects have by nature are names like any other", async () => {
  expect(Object.keys(await readEnv("env: { constructor: a, toString: b, hasOwnProperty: c }"))).toEqual([
    "constructor",
    "toString",
    "hasOwnProperty",
  ])
})

test("a reference within other text is taken as it stands, and said", async () => {
  home.bottle("dev", "env:\n  A: ${HOST_NAME}/bin\n  B: $${HOST_NAME}/bin\n  C: ${HOST_NAME}")
  const bottle = await home.manifests.loadBottles(["dev"])
  expect(bottle.env.A).toEqual({ kind: "literal", value: "${HOST_NAME}/bin" })
  expect(bottle.warnings).toEqual([
    "bottles/dev.md:3:6 env.A: taken as it stands; only a value that is nothing but ${NAME} comes from the host",
  ])
})

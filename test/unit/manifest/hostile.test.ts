import { afterAll, beforeEach, describe, expect, test } from "bun:test"
import { truncateSync } from "node:fs"
import { hostileUnits, repeated } from "../../support/hostile-input.ts"
import { failureOf, makeManifestHome } from "./manifest-home.ts"

const home = makeManifestHome()
afterAll(() => home.remove())
beforeEach(() => home.bottle("dev", ""))

const file = "user/.bot-bottle/bottles/dev.md"

async function refusal(content: string | Uint8Array): Promise<string> {
  home.write(file, content)
  const failure = await failureOf(home.manifests.loadBottles(["dev"]))
  expect(failure.exitCode).toBe(3)
  return failure.message
}

const front = (yaml: string) => `---\n${yaml}\n---\n`

// How long each takes is the affair of `npm run bench -- hostile`; one that took exponential time would not end here.
describe("a hostile manifest", () => {
  test("of ten megabytes is not read", async () => {
    expect(await refusal(front(`env: { A: "${"x".repeat(10_000_000)}" }`))).toBe(
      "bottles/dev.md:1:1 larger than 256 KB",
    )
  })

  test("of a sparse terabyte is not read", async () => {
    truncateSync(home.write(file, "---\n"), 2 ** 40)
    expect((await failureOf(home.manifests.loadBottles(["dev"]))).message).toBe("bottles/dev.md:1:1 larger than 256 KB")
  })

  test("with frontmatter of a hundred kilobytes is not parsed", async () => {
    expect(await refusal(front(`# ${"x".repeat(100_000)}`))).toBe(
      "bottles/dev.md:1:1 the frontmatter is larger than 64 KB",
    )
  })

  test("with a NUL is not a text file", async () => {
    expect(await refusal("---\nenv:\n  A: \0\n---\n")).toBe("bottles/dev.md:3:6 a NUL byte: this is not a text file")
  })

  test("that is not UTF-8 is refused where it breaks", async () => {
    const bytes = new Uint8Array([...new TextEncoder().encode("---\nenv:\n  Ä: "), 0xff, 0xfe, 0x0a])
    expect(await refusal(bytes)).toBe("bottles/dev.md:3:6 not valid UTF-8")
    expect(await refusal(new Uint8Array([0xc0, 0xaf]))).toBe("bottles/dev.md:1:1 not valid UTF-8")
    expect(await refusal(new Uint8Array([0x2d, 0x2d, 0x0a, 0xe2, 0x82]))).toBe("bottles/dev.md:2:1 not valid UTF-8")
  })

  test.each(hostileUnits.map((unit) => [unit]))("made of %p only ends", async (unit) => {
    expect(await refusal(front(repeated(unit)))).toStartWith("bottles/dev.md:")
  })

  test("nested deeply is refused with a position", async () => {
    const deep = `agent_provider: { settings: ${"{ a: ".repeat(40)}1${" }".repeat(40)} }`
    expect(await refusal(front(deep))).toMatch(
      /^bottles\/dev\.md:2:\d+ agent_provider\.settings\.a\.a: nested too deeply$/,
    )
  })

  test("with an alias bomb is refused", async () => {
    const lines = ["agent_provider:", "  settings:", "    a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for (let i = 1; i < 9; i += 1)
      lines.push(
        `    a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      )
    expect(await refusal(front(lines.join("\n")))).toContain("too many")
  })

  test("with an alias to itself is refused", async () => {
    expect(await refusal(front("agent_provider: { settings: { a: &a [*a] } }"))).toContain("nested too deeply")
  })

  test("with an alias to nothing is refused", async () => {
    expect(await refusal(front("supervise: *nothing"))).toBe(
      "bottles/dev.md:2:12 supervise: unknown alias: a value that begins with * must be quoted",
    )
  })

  test.each([
    ["__proto__: { supervise: false }", "bottles/dev.md:2:1 __proto__ cannot be a key"],
    ["env: { __proto__: x }", "bottles/dev.md:2:8 env: __proto__ cannot be a key"],
    [
      "agent_provider: { settings: { __proto__: { a: 1 } } }",
      "bottles/dev.md:2:31 agent_provider.settings: __proto__ cannot be a key",
    ],
    ["constructor: { prototype: { x: 1 } }", "bottles/dev.md:2:1 constructor: unknown key"],
    ["? [a]\n: 1", "bottles/dev.md:2:3 a key must be plain text"],
  ])("with the key in %s is refused", async (yaml, line) => {
    expect(await refusal(front(yaml))).toBe(line)
    expect(({} as Record<string, unknown>).supervise).toBeUndefined()
  })

  test("with thousands of errors shows fifty and the count of the rest", async () => {
    const lines = (await refusal(front(Array.from({ length: 4000 }, (_, i) => `key${i}: x`).join("\n")))).split("\n")
    expect(lines).toHaveLength(51)
    expect(lines.at(-1)).toBe("and 3950 more")
  })

  test("with thousands of routes for one host is read", async () => {
    const routes = Array.from({ length: 900 }, (_, i) => `    - { host: h.example, path_allowlist: [/p${i}] }`)
    home.write(file, front(`egress:\n  routes:\n${routes.join("\n")}`))
    const bottle = await home.manifests.loadBottles(["dev"])
    expect(bottle.egress.routes[0]?.matches).toHaveLength(900)
  })
})

import { expect, test } from "bun:test"
import { findClaude } from "../../../src/providers/claude/install.ts"
import { elf, failure, pretendHost } from "./pretend-host.ts"

const scope = "/usr/lib/node_modules/@anthropic-ai"
const stub = `${scope}/claude-code/bin/claude.exe`
const native = { source: "", target: "/opt/bot-bottle/claude/claude", readonly: true }

test("npm's native package is preferred to the stub that PATH leads to", () => {
  const source = `${scope}/claude-code-linux-x64/claude`
  const files = {
    [stub]: "stub",
    [source]: elf,
    [`${scope}/claude-code-linux-x64/package.json`]: '{"version":"2.1.329"}',
  }
  const found = findClaude(pretendHost({ claude: stub }, files), "x64")
  expect(found).toEqual({ command: [native.target], mounts: [{ ...native, source }], version: "2.1.329", source })
})

test("a native package nested below the package is found too", () => {
  const source = `${scope}/claude-code/node_modules/@anthropic-ai/claude-code-linux-arm64/claude`
  const found = findClaude(pretendHost({ claude: stub }, { [stub]: "stub", [source]: elf }), "arm64")
  expect(found.source).toBe(source)
})

test("the native installer's binary is shown itself, whatever its name", () => {
  const program = "/home/me/.local/share/claude/versions/2.1.329"
  const found = findClaude(pretendHost({ claude: program }, { [program]: elf }), "x64")
  expect(found.mounts).toEqual([{ ...native, source: program }])
  expect(found.version).toBe("2.1.329")
})

test("a JavaScript release is shown as its package and node", () => {
  const program = `${scope}/claude-code/cli.js`
  const files = { [program]: "#!/usr/bin/env node\n", [`${scope}/claude-code/package.json`]: '{"version": "1.0.128"}' }
  const found = findClaude(pretendHost({ claude: program, node: "/usr/bin/node" }, files), "x64")
  expect(found.command).toEqual(["/opt/bot-bottle/claude/node", "/opt/bot-bottle/claude/package/cli.js"])
  expect(found.mounts).toEqual([
    { source: `${scope}/claude-code`, target: "/opt/bot-bottle/claude/package", readonly: true },
    { source: "/usr/bin/node", target: "/opt/bot-bottle/claude/node", readonly: true },
  ])
  expect(found.version).toBe("1.0.128")
})

test.each([
  ["no claude on PATH", {}, {}],
  ["a shell wrapper", { claude: "/home/me/bin/claude" }, { "/home/me/bin/claude": "#!/bin/sh\nexec node x" }],
  ["a script without node", { claude: `${scope}/a/cli.js` }, { [`${scope}/a/cli.js`]: "#!/usr/bin/env node\n" }],
])("%s is something missing on this machine", async (_, programs, files) => {
  const look = async () => findClaude(pretendHost(programs, files), "x64")
  expect(await failure(look())).toBe("claude-not-found 4")
})

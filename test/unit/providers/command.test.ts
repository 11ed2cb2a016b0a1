import { expect, test } from "bun:test"
import { commandProvider } from "../../../src/providers/command/provider.ts"
import { providerFor, providerNames } from "../../../src/providers/index.ts"
import { failure, pretendHost, request } from "./pretend-host.ts"

const host = pretendHost({}, {})

test("a command runs as it was given, again on resume, and brings nothing of its own", async () => {
  const session = await commandProvider.prepare(request({ argv: ["bash", "-c", "echo hi"] }), host)
  expect(session).toEqual({
    argv: ["bash", "-c", "echo hi"],
    resumeArgv: ["bash", "-c", "echo hi"],
    env: {},
    files: [],
    mounts: [],
    path: [],
    routes: [],
    transcripts: [],
    summary: "command: bash -c echo hi",
  })
})

test.each([
  ["no command", request(), "no-command 2"],
  ["an empty command", request({ argv: [""] }), "no-command 2"],
  ["a prompt", request({ argv: ["true"], prompt: "do it" }), "prompt-not-taken 2"],
  ["a setting", request({ argv: ["true"], settings: { model: "x" } }), "bad-provider-settings 3"],
])("%s is refused", async (_, want, expected) => {
  expect(await failure(commandProvider.prepare(want, host))).toBe(expected)
})

test("each provider of this build is found by its template", async () => {
  for (const name of providerNames) expect((await providerFor(name)).template).toBe(name)
})

test.each([
  ["clod", "unknown-provider 3"],
  ["toString", "unknown-provider 3"],
])("template %s is refused", async (template, expected) => {
  expect(await failure(providerFor(template))).toBe(expected)
})

import { beforeEach, expect, test } from "bun:test"
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { providerFor } from "../../../src/providers/index.ts"
import { tempDir } from "../../support/temp.ts"
import { failure } from "./pretend-host.ts"

const contrib = tempDir("contrib")
const file = join(contrib, "tiny", "provider.yaml")
beforeEach(() => {
  rmSync(join(contrib, "tiny"), { recursive: true, force: true })
  mkdirSync(join(contrib, "tiny"))
})

/** Each line of what is wrong, without the file's name. */
async function problems(text: string): Promise<string[]> {
  writeFileSync(file, text)
  try {
    await providerFor("tiny", contrib)
    return ["nothing is wrong"]
  } catch (error) {
    return (error as Error).message.split("\n").map((line) => line.replace("contrib/tiny/provider.yaml:", ""))
  }
}

const unfit = "cannot stand here; known:"
const session = "{home}, {workspace}, {system_prompt_file}, {ca}"
const belowHome = "expected a path below the home, such as .tool/config.json"

test.each([
  ["", ["1:1 command: missing"]],
  ["command: tiny", ["1:10 command: expected keys with values, found text"]],
  ["command: {program: ../tiny}", ["1:20 command.program: expected the name of a program on PATH"]],
  ["command: {program: /bin/sh}", ["1:20 command.program: expected the name of a program on PATH"]],
  ["command: {program: tiny, show: all}", ["1:32 command.show: expected one of file, package"]],
  ["command: {program: tiny, run: [sh]}", ["1:26 command.run: unknown key"]],
  ["command: {program: tiny}\ncommand: {program: other}", ["2:1 command: written twice"]],
])("%p: what is wrong is said with its position", async (text, expected) => {
  expect(await problems(text)).toEqual(expected)
})

/** What may stand below `command: {program: tiny}`, on the second line. */
test.each([
  ["argz: []", ["2:1 argz: unknown key; did you mean args?"]],
  ['args: ["{prompt}"]', [`2:8 args[0]: {prompt} ${unfit} ${session}`]],
  ["headless: [run]", ["2:11 headless: {prompt} must stand in one of the arguments"]],
  ['headless: ["{prompt}{token}"]', [`2:12 headless[0]: {token} ${unfit} {prompt}, ${session}`]],
  ["env: {HTTPS_PROXY: x}", ["2:7 env.HTTPS_PROXY: the bottle sets this itself, for its proxy and CA"]],
  ["env: {LD_PRELOAD: x}", ["2:7 env.LD_PRELOAD: this would load code into the bottle's own programs"]],
  ["env: {A: '{prompt}'}", [`2:10 env.A: {prompt} ${unfit} ${session}`]],
  ["files: [{path: ../up, content: x}]", ["2:16 files[0].path: cannot hold . or .."]],
  ["files: [{path: /etc/passwd, content: x}]", [`2:16 files[0].path: ${belowHome}`]],
  ["files: [{path: a, content: x, mode: 04755}]", ["2:31 files[0].mode: unknown key"]],
  ["transcripts: [a/../../b]", ["2:15 transcripts[0]: cannot hold . or .."]],
  ["skills: ~/.claude", [`2:9 skills: ${belowHome}`]],
  ["programs: [../../bin/sh]", ["2:12 programs[0]: expected the name of a program on PATH"]],
  ["args: !!js/function x", ["2:7 YAML tags are not supported"]],
  ["__proto__: {a: 1}", ["2:1 __proto__ cannot be a key"]],
])("%p: what is wrong is said with its position", async (second, expected) => {
  const found = await problems(`command: {program: tiny}\n${second}`)
  expect(found).toEqual(expected)
})

/** Keys of a route that is right otherwise, on the third line. */
const pinned = "matches: [{methods: [POST], paths: [{type: exact, value: /v1}]}]"
test.each([
  ["matches: []", ["3:15 routes[0].matches: name the requests that the CLI makes"]],
  ["matches: [{}]", ["3:16 routes[0].matches[0]: methods are missing", "3:16 routes[0].matches[0]: paths are missing"]],
  ["matches: [{methods: [POST]}]", ["3:16 routes[0].matches[0]: paths are missing"]],
  [`connect_to: 127.0.0.1, ${pinned}`, ["3:6 routes[0].connect_to: unknown key"]],
  [`allow_private: true, ${pinned}`, ["3:6 routes[0].allow_private: unknown key"]],
  [`scheme: http, ${pinned}`, ["3:6 routes[0].scheme: unknown key"]],
  [`ca: /etc/ca.pem, ${pinned}`, ["3:6 routes[0].ca: unknown key"]],
  [`keep_headers: [cookie], ${pinned}`, ["3:6 routes[0].keep_headers: unknown key"]],
  [`auth: {scheme: Bearer, token_ref: AWS_KEY}, ${pinned}`, ["3:29 routes[0].auth.token_ref: unknown key"]],
])("a route with %p: what is wrong is said with its position", async (keys, expected) => {
  const found = await problems(`command: {program: tiny}\nroutes:\n  - {${keys}, host: api.example}`)
  expect(found).toEqual(expected)
})

test("a token is not sent to a wildcard", async () => {
  const text = `command: {program: tiny}\nroutes:\n  - {host: "*.tiny.example", auth: {scheme: Bearer}, ${pinned}}`
  expect(await problems(text)).toEqual(["3:36 routes[0].auth: a token is sent to one host, not to a wildcard"])
})

test.each([
  ["anybody may write", () => chmodSync(file, 0o666)],
  ["is no text", () => writeFileSync(file, new Uint8Array([0xff, 0xfe, 0x00]))],
  ["is too large", () => writeFileSync(file, `# ${"x".repeat(300_000)}`)],
  ["is a named pipe", () => replace((path) => Bun.spawnSync(["mkfifo", path]))],
  ["is a device", () => replace((path) => symlinkSync("/dev/zero", path))],
  ["is a folder", () => replace((path) => mkdirSync(path))],
])("a file that %s is not used", async (_, spoil) => {
  writeFileSync(file, "command: {program: tiny}\n")
  spoil()
  expect(await failure(providerFor("tiny", contrib))).toBe("bad-manifest 3")
})

function replace(make: (path: string) => unknown): void {
  rmSync(file)
  make(file)
}

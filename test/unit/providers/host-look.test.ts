import { afterAll, beforeAll, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hostLook } from "../../../src/providers/host-look.ts"

let root = ""
const at = (...parts: string[]) => join(root, ...parts)

const program = (path: string, mode = 0o755) => {
  writeFileSync(path, "#!/bin/sh\n")
  chmodSync(path, mode)
}

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "host-look-")))
  for (const directory of ["safe", "open", "real"]) mkdirSync(at(directory))
  program(at("open", "tool"))
  program(at("real", "tool-1.0"))
  program(at("safe", "not-executable"), 0o644)
  program(at("safe", "anyone-may-write"), 0o777)
  mkdirSync(at("safe", "directory"))
  symlinkSync("../real/tool-1.0", at("safe", "tool"))
  symlinkSync("nowhere", at("safe", "dangling"))
  chmodSync(at("open"), 0o777)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

test("a program is found on PATH with its links resolved", () => {
  expect(hostLook(`/nowhere:${at("safe")}`).which("tool")).toBe(at("real", "tool-1.0"))
})

test("directories that anyone may write, and relative ones, are skipped", () => {
  expect(hostLook(`${at("open")}:${at("safe")}`).which("tool")).toBe(at("real", "tool-1.0"))
  expect(hostLook(at("open")).which("tool")).toBeUndefined()
  expect(hostLook(".:bin:").which("package.json")).toBeUndefined()
})

test.each(["not-executable", "anyone-may-write", "directory", "dangling", "absent", "", "../open/tool"])(
  "%p is no program",
  (name) => expect(hostLook(at("safe")).which(name)).toBeUndefined(),
)

test("every program of a name is found, once each", () => {
  program(at("real", "tool"))
  const host = hostLook([at("safe"), at("open"), at("real"), at("safe")].join(":"))
  expect(host.whichAll("tool")).toEqual([at("real", "tool-1.0"), at("real", "tool")])
  expect(host.whichAll("absent")).toEqual([])
})

test("a program is asked for its version with nothing of the caller's environment", () => {
  const says = (name: string, text: string) => {
    program(at("real", name))
    writeFileSync(at("real", name), `#!/bin/sh\n${text}\n`)
    return hostLook("").askVersion(at("real", name))
  }
  process.env.SPOILED = "9.9.9"
  expect(says("new", 'echo "v24.9.0$SPOILED"')).toBe("24.9.0")
  expect(says("mute", "exit 1")).toBeUndefined()
  expect(says("argued", 'test "$*" = --version && echo tool 1.2.3-beta')).toBe("1.2.3")
  delete process.env.SPOILED
})

test("the start of a file is read, never more, and only of a regular file", () => {
  const host = hostLook("")
  expect(host.readStart(at("safe", "tool"), 2)).toEqual(new TextEncoder().encode("#!"))
  expect(host.readStart(at("safe"), 2)).toBeUndefined()
  expect(host.readStart(at("safe", "absent"), 2)).toBeUndefined()
  expect([host.exists(at("safe")), host.exists(at("absent"))]).toEqual([true, false])
})

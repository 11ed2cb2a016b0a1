import { beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { readSkills } from "../../../src/providers/read-skills.ts"
import { tempDir } from "../../support/temp.ts"
import { failure } from "./pretend-host.ts"

const root = tempDir("skills")
const [own, cli] = [join(root, "own"), join(root, "cli")]
const read = (...names: string[]) => readSkills(names, [own, cli])

function skill(folder: string, name: string, files: Record<string, string | Uint8Array> = {}): string {
  const path = join(folder, name)
  const all = { "SKILL.md": folder === own ? "of own" : "of cli", ...files }
  for (const [file, content] of Object.entries(all)) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    writeFileSync(join(path, file), content)
  }
  return path
}

beforeEach(() => {
  for (const folder of [own, cli]) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
  }
})

describe("skills are read", () => {
  test("from the first folder that has them, once each", async () => {
    skill(own, "both")
    skill(cli, "both")
    skill(cli, "other")
    const found = await read("both", "other", "both")
    expect(found.map(({ name, files }) => [name, files[0]?.content])).toEqual([
      ["both", "of own"],
      ["other", "of cli"],
    ])
  })

  test("with folders, programs and bytes that are no text, without version control", async () => {
    const bytes = new Uint8Array([0xff, 0x00, 0x80])
    const path = skill(own, "s", { "bin/run.sh": "#!/bin/sh", "img/a.png": bytes, ".git/config": "[core]" })
    chmodSync(join(path, "bin", "run.sh"), 0o755)
    expect((await read("s"))[0]?.files).toEqual([
      { path: "SKILL.md", mode: 0o600, content: "of own" },
      { path: "bin/run.sh", mode: 0o700, content: "#!/bin/sh" },
      { path: "img/a.png", mode: 0o600, content: Buffer.from(bytes).toString("base64"), base64: true },
    ])
  })

  test("from nowhere when none is named", async () => {
    expect(await readSkills([], ["/nowhere"])).toEqual([])
  })
})

describe("a skill is refused", () => {
  test("that nobody has, by its name", async () => {
    skill(cli, "review")
    expect(await failure(read("reviwe"))).toBe("unknown-skill 3")
    expect(read("reviwe")).rejects.toThrow('unknown skill "reviwe"; did you mean "review"?')
  })

  const spoilers: readonly [string, (path: string) => unknown][] = [
    ["without SKILL.md", (path) => rmSync(join(path, "SKILL.md"))],
    ["that holds a link to a file", (path) => symlinkSync("/etc/passwd", join(path, "link"))],
    ["that holds a link to a folder", (path) => symlinkSync("/etc", join(path, "link"))],
    ["whose SKILL.md is a link", (path) => replace(join(path, "SKILL.md"), (at) => symlinkSync("/etc/passwd", at))],
    ["that is a link itself", (path) => replace(path, (at) => symlinkSync(cli, at))],
    ["that is a file", (path) => replace(path, (at) => writeFileSync(at, "x"))],
    ["with a named pipe", (path) => Bun.spawnSync(["mkfifo", join(path, "pipe")])],
    ["with a device in place of a file", (path) => symlinkSync("/dev/zero", join(path, "zero"))],
    ["with too much in it", (path) => writeFileSync(join(path, "big"), new Uint8Array(4 * 1024 * 1024 + 1))],
    ["with too many files", (path) => addFiles(path, 501)],
    ["nested too deeply", (path) => mkdirSync(join(path, "a/b/c/d/e/f/g/h/i/j"), { recursive: true })],
  ]
  test.each(spoilers)("%s", async (_, spoil) => {
    spoil(skill(own, "s"))
    expect(await failure(read("s"))).toBe("bad-skill 3")
  })

  test("together with others when all of them are too large", async () => {
    for (const name of ["a", "b", "c"]) skill(own, name, { data: new Uint8Array(1_500_000) })
    expect((await read("a", "b")).length).toBe(2)
    expect(await failure(read("a", "b", "c"))).toBe("bad-skill 3")
  })
})

function replace(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true })
  make(path)
}

function addFiles(path: string, count: number): void {
  writeFileSync(join(path, "first"), "x")
  for (let at = 1; at < count; at += 1) linkSync(join(path, "first"), join(path, `n${at}`))
}

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SealedRun } from "../../../src/backends/backend.ts"
import { expectWithin } from "../../support/pace.ts"
import { requirePart } from "../../support/require.ts"
import { backend, isRoot } from "./test-bottle.ts"

describe.skipIf(!requirePart("bwrap"))("a sealed run", () => {
  let tree = ""
  beforeAll(async () => {
    tree = mkdtempSync(join(tmpdir(), "bottle-sealed-"))
    writeFileSync(join(tree, "file"), "content")
    symlinkSync("/etc/hostname", join(tree, "link"))
    await backend.ownTree(tree, "sealed-1")
  })
  afterAll(() => rmSync(tree, { recursive: true, force: true }))

  const run = (line: string, more: Partial<SealedRun> = {}) =>
    backend.sealed(
      {
        argv: ["/bin/sh", "-c", line],
        mounts: [{ source: tree, target: "/tree", readonly: true }],
        cwd: "/tree",
        maxOutput: 1000,
        timeout: 60_000,
        ...more,
      },
      "sealed-1",
    )

  test("sees the named tree and nothing else", async () => {
    const seen = await run("cat file; ls /; ls /home /root 2>/dev/null; cat link 2>/dev/null; id -u; echo $PWD $HOME")
    expect(seen.exitCode).toBe(0)
    const lines = new TextDecoder().decode(seen.stdout).split("\n")
    expect(lines[0]).toBe("contentbin")
    for (const name of ["home", "root", "run", "var", "sys"]) expect(lines).not.toContain(name)
    expect(lines).toContain("1000")
    expect(lines).toContain("/tree /nonexistent")
  })

  test("writes only where it may", async () => {
    expect((await run("echo x > file || echo x > new")).exitCode).not.toBe(0)
    const writable = [{ source: tree, target: "/tree", readonly: false }]
    expect((await run("echo x > new", { mounts: writable })).exitCode).toBe(0)
    expect(existsSync(join(tree, "new"))).toBe(true)
    if (isRoot) expect(lstatSync(join(tree, "new")).uid).toBe(lstatSync(tree).uid)
  })

  test("has no network and no environment of ours", async () => {
    const seen = await run("cat /proc/net/dev | grep -c :; env | grep -c BOT_ || true")
    expect(new TextDecoder().decode(seen.stdout)).toBe("1\n0\n")
  })

  test("gets its input and passes its code on", async () => {
    const seen = await run("cat; echo bad >&2; exit 9", { input: new TextEncoder().encode("given") })
    expect([new TextDecoder().decode(seen.stdout), seen.stderr, seen.exitCode]).toEqual(["given", "bad\n", 9])
  })

  test("is ended when it says too much or takes too long", async () => {
    await expect(run("yes")).rejects.toMatchObject({ code: "sealed-output" })
    const begun = performance.now()
    await expect(run("trap '' TERM; sleep 100 & sleep 100", { timeout: 200 })).rejects.toMatchObject({
      code: "sealed-timeout",
    })
    expectWithin(3000, begun)
  })

  test("cannot fork without end", async () => {
    const seen = await run("i=0; while [ $i -lt 600 ]; do sleep 1000 & i=$((i+1)); done; echo all", { timeout: 60_000 })
    expect(new TextDecoder().decode(seen.stdout)).toBe("")
  })

  test("asks for a mount that is not there: says so", async () => {
    const gone = await run("true", { mounts: [{ source: join(tree, "gone"), target: "/tree", readonly: true }] })
    expect(gone.exitCode).not.toBe(0)
    expect(gone.stderr).toContain("bwrap")
  })
})

describe("a tree that an agent wrote", () => {
  test("is removed with everything in it, and nothing that it points at", async () => {
    const base = mkdtempSync(join(tmpdir(), "bottle-tree-"))
    afterAll(() => rmSync(base, { recursive: true, force: true }))
    const tree = join(base, "tree")
    mkdirSync(join(tree, "closed/inner"), { recursive: true })
    writeFileSync(join(tree, "closed/inner/file"), "")
    writeFileSync(join(base, "outside"), "")
    mkdirSync(join(base, "folder"))
    writeFileSync(join(base, "folder/kept"), "")
    symlinkSync(join(base, "outside"), join(tree, "link"))
    symlinkSync(join(base, "folder"), join(tree, "dir"))
    chmodSync(join(tree, "closed/inner"), 0)
    chmodSync(join(tree, "closed"), 0)
    await backend.removeTree(tree)
    expect(existsSync(tree)).toBe(false)
    expect(existsSync(join(base, "outside"))).toBe(true)
    expect(existsSync(join(base, "folder/kept"))).toBe(true)
    await backend.removeTree(tree)
  })
})

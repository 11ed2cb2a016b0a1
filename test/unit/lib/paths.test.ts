import { afterAll, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createPaths, openRuntimeDir, openStateDir } from "../../../src/lib/paths.ts"
import { whyNotPrivate } from "../../../src/lib/private-dir.ts"

const dir = mkdtempSync(join(tmpdir(), "bottle-paths-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const host = (...own: string[]) => ({ uid: 1000, isOwnDir: (path: string) => own.includes(path) })
const slug = "api-00000"

test("the state lives in ~/.bot-bottle unless BOT_BOTTLE_HOME moves it", () => {
  expect(createPaths({ HOME: "/home/u" }, host()).home).toBe("/home/u/.bot-bottle")
  expect(createPaths({ HOME: "/home/u" }, host()).state(slug)).toBe(`/home/u/.bot-bottle/state/${slug}`)
  expect(createPaths({ HOME: "/home/u", BOT_BOTTLE_HOME: "/srv/b" }, host()).agents).toBe("/srv/b/agents")
})

test("sockets go below the first runtime directory that is ours", () => {
  const runtime = (env: Record<string, string>, ...own: string[]) =>
    createPaths({ HOME: "/home/u", ...env }, host(...own)).runtimeRoot.replace(/[0-9a-f]{6}$/, "#")
  expect(runtime({ XDG_RUNTIME_DIR: "/xdg" }, "/xdg", "/run/user/1000")).toBe("/xdg/bot-bottle/#")
  expect(runtime({ XDG_RUNTIME_DIR: "/root-owned" }, "/run/user/1000")).toBe("/run/user/1000/bot-bottle/#")
  expect(runtime({ XDG_RUNTIME_DIR: "relative" }, "relative")).toBe("/tmp/bot-bottle-1000/#")
})

test("two homes never share a runtime directory", () => {
  const root = (home: string) => createPaths({ BOT_BOTTLE_HOME: home }, host()).runtimeRoot
  expect(root("/a")).not.toBe(root("/b"))
  expect(root("/a")).toBe(root("/a/"))
})

test("a runtime directory in which a socket could not be bound is an error that says so", () => {
  const long = `/${"x".repeat(40)}`
  const paths = createPaths({ XDG_RUNTIME_DIR: long }, host(long))
  expect(() => paths.runtime("y".repeat(40))).toThrow("too long for a socket")
  const usual = createPaths({}, { uid: 4294967294, isOwnDir: () => true })
  expect(usual.runtime("y".repeat(40))).toStartWith("/run/user/4294967294/")
})

test("the runtime directory of a bottle is made 0700 at every level", async () => {
  const xdg = join(dir, "x")
  mkdirSync(xdg)
  const paths = createPaths({ XDG_RUNTIME_DIR: xdg, BOT_BOTTLE_HOME: dir })
  const made = await openRuntimeDir(paths, slug)
  expect(made).toBe(paths.runtime(slug))
  for (const level of [made, paths.runtimeRoot, join(xdg, "bot-bottle")])
    expect(statSync(level).mode & 0o777).toBe(0o700)
  expect(await openRuntimeDir(paths, slug)).toBe(made)
})

test("a runtime directory that is a link, or open to others, is refused", async () => {
  const linked = join(dir, "l")
  mkdirSync(join(linked, "elsewhere"), { recursive: true, mode: 0o700 })
  symlinkSync(join(linked, "elsewhere"), join(linked, "bot-bottle"))
  await expect(openRuntimeDir(createPaths({ XDG_RUNTIME_DIR: linked }), slug)).rejects.toThrow("symbolic link")
  const open = join(dir, "o")
  mkdirSync(join(open, "bot-bottle"), { recursive: true })
  chmodSync(join(open, "bot-bottle"), 0o755)
  await expect(openRuntimeDir(createPaths({ XDG_RUNTIME_DIR: open }), slug)).rejects.toThrow("mode 755")
})

test("a runtime directory of somebody else's is refused", () => {
  const look = { isSymbolicLink: () => false, isDirectory: () => true, uid: 0, mode: 0o40700 }
  expect(whyNotPrivate("/tmp/bot-bottle-1000", look, 1000)).toBe(
    "/tmp/bot-bottle-1000 belongs to uid 0, not to you (uid 1000)",
  )
  expect(whyNotPrivate("/tmp/bot-bottle-1000", look, 0)).toBeUndefined()
})

test("a state directory is made private, and an open home is closed", async () => {
  const home = join(dir, "home")
  mkdirSync(home)
  chmodSync(home, 0o755)
  const state = await openStateDir(createPaths({ BOT_BOTTLE_HOME: home }), slug)
  for (const level of [state, home, join(home, "state")]) expect(statSync(level).mode & 0o777).toBe(0o700)
})

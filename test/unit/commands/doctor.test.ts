import { expect, test } from "bun:test"
import { examine } from "../../../src/commands/doctor/checks.ts"
import type { Machine } from "../../../src/commands/doctor/machine.ts"
import { createPaths } from "../../../src/lib/paths.ts"

const dirLook = (uid: number, mode: number) => ({ isSymbolicLink: () => false, isDirectory: () => true, uid, mode })

function machine(changes: Partial<Machine> = {}): Machine {
  return {
    platform: "linux",
    arch: "x64",
    uid: 1000,
    env: {},
    paths: createPaths({ HOME: "/home/u" }, { uid: 1000, isOwnDir: () => true }),
    scrubbed: [],
    which: (name) => `/usr/bin/${name}`,
    firstLine: async ([path]) => (path?.endsWith("tmux") ? "tmux 3.3a" : "1.2.3"),
    lstat: () => dirLook(1000, 0o40700),
    tryRuntime: async () => undefined,
    probeBackends: async () => [
      { name: "namespace", availability: { usable: true, detail: "bwrap 0.8", warnings: [] } },
    ],
    ...changes,
  }
}

const finding = async (id: string, changes: Partial<Machine>) =>
  (await examine(machine(changes))).find((one) => one.id === id)

test("a machine with everything has nothing to mend", async () => {
  const findings = await examine(machine())
  expect(findings.filter(({ status }) => status !== "ok")).toEqual([])
  expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length)
})

test("an unknown platform fails", async () => {
  expect(await finding("platform", { platform: "win32" })).toMatchObject({ status: "fail", detail: "win32 x64" })
})

test("a backend that cannot run fails with its reason and remedy, unless another can", async () => {
  const broken = {
    name: "namespace",
    availability: { usable: false, reason: "no bwrap", remedy: "apt install it" },
  } as const
  const other = { name: "docker", availability: { usable: true, detail: "d", warnings: ["no disk limit"] } } as const
  expect(await finding("backend-namespace", { probeBackends: async () => [broken] })).toEqual({
    id: "backend-namespace",
    status: "fail",
    detail: "no bwrap",
    fix: "apt install it",
  })
  const both = { probeBackends: async () => [broken, other] }
  expect(await finding("backend-namespace", both)).toMatchObject({ status: "warn" })
  expect(await finding("backend-docker", both)).toMatchObject({ status: "warn", detail: "d; no disk limit" })
})

test("a runtime that is there and does not work is a warning with what to do, and one that works is said", async () => {
  const trial = { runtime: "runsc", ok: false, detail: "it starts no container", fix: "mend it" }
  const finds = (tryRuntime: Machine["tryRuntime"]) => finding("gvisor", { tryRuntime })
  expect(await finds(async () => undefined)).toBeUndefined()
  expect(await finds(async () => trial)).toMatchObject({ status: "warn", fix: "mend it" })
  expect(await finds(async () => ({ ...trial, ok: true }))).toMatchObject({ status: "ok" })
  expect(await finds(() => Promise.reject(new Error("no engine")))).toMatchObject({ status: "warn" })
})

test("a runtime directory that is too long, or another's, fails", async () => {
  const xdg = `/${"x".repeat(60)}`
  const paths = createPaths({ HOME: "/home/u", XDG_RUNTIME_DIR: xdg }, { uid: 1000, isOwnDir: () => true })
  expect(await finding("runtime-dir", { paths })).toMatchObject({ status: "fail" })
  expect(await finding("runtime-dir", { lstat: () => dirLook(0, 0o40700) })).toMatchObject({ status: "fail" })
})

test("an open state directory is a warning, another's fails, a missing one is fine", async () => {
  expect(await finding("state-dir", { lstat: () => dirLook(1000, 0o40755) })).toMatchObject({
    status: "warn",
    fix: "chmod 700 /home/u/.bot-bottle",
  })
  expect(await finding("state-dir", { lstat: () => dirLook(0, 0o40700) })).toMatchObject({ status: "fail" })
  expect(await finding("state-dir", { lstat: () => undefined })).toMatchObject({ status: "ok" })
})

test("a tmux without popups and a missing one are warnings", async () => {
  expect(await finding("tmux", { firstLine: async () => "tmux 3.1c" })).toMatchObject({ status: "warn" })
  expect(await finding("tmux", { firstLine: async () => "tmux 3.2" })).toMatchObject({ status: "ok" })
  expect(await finding("tmux", { which: () => undefined })).toMatchObject({ status: "warn", fix: "install tmux" })
})

test("an agent that is missing says how to install it", async () => {
  expect(await finding("agent-claude", { which: () => undefined })).toMatchObject({
    status: "warn",
    fix: "npm install -g @anthropic-ai/claude-code",
  })
})

test("inherited variables of Bun are named", async () => {
  expect(await finding("environment", { scrubbed: ["BUN_OPTIONS"], env: { BUN_CONFIG_X: "1" } })).toMatchObject({
    status: "warn",
    fix: "unset BUN_CONFIG_X BUN_OPTIONS",
  })
})

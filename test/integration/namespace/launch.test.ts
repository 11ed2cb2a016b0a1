import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { findMarked } from "../../../src/backends/namespace/host-processes.ts"
import { parseRecord } from "../../../src/backends/namespace/record.ts"
import { readFirstLine } from "../../../src/lib/lines.ts"
import { requirePart } from "../../support/require.ts"
import { ask, runShell } from "./guest-client.ts"
import { backend, cleanUpAfterwards, isRoot, launch, specIn, type TestBottle, useFakeBinary } from "./test-bottle.ts"

const binary = useFakeBinary()
cleanUpAfterwards()

describe.skipIf(!requirePart("bwrap"))("a namespace bottle", () => {
  let it: TestBottle
  const open = mkdtempSync(join(tmpdir(), "bottle-mount-"))
  beforeAll(async () => {
    writeFileSync(join(open, "tool"), "tool", { mode: 0o644 })
    Bun.spawnSync(["chmod", "755", open])
    const mounts = [{ source: open, target: "/tools", readonly: true }]
    it = await launch(specIn(binary(), { limits: { pids: 200, disk: 1 }, mounts }))
  })
  afterAll(async () => {
    await it.bottle.stop()
    rmSync(open, { recursive: true })
  })

  test("can be had here", async () => {
    expect(await backend.probe()).toMatchObject({ usable: true })
  })

  test("is proved from the inside, once its sidecar answers", async () => {
    const control = await it.bottle.connectControl()
    expect(await readFirstLine(control)).toBe("hello")
    control.destroy()
    const hostAddresses = ["10.9.8.7", "fd00::1", "127.0.0.1"]
    const answer = await ask(it.bottle, { op: "prove", hostAddresses, proxy: "http://127.0.0.1:9099" })
    if (!answer.ok) throw new Error(answer.error)
    expect(answer.probes?.filter((probe) => !probe.ok)).toEqual([])
    expect(answer.probes?.length).toBeGreaterThan(18)
  })

  test("is proved from the outside", async () => {
    const probes = await it.bottle.proveOutside()
    expect(probes.filter((probe) => !probe.ok)).toEqual([])
    expect(probes.map((probe) => probe.name)).toContain("mounts")
  })

  test("was recorded before it was started, and again with its processes", () => {
    expect(it.records.map((record) => record.phase)).toEqual(["starting", "running"])
    expect(it.records[0]).toMatchObject({ backend: "namespace", agent: null, sidecars: null })
  })

  test("says which limits hold and which do not", () => {
    const limits = parseRecord(it.records[1]!)!.limits
    expect(limits.find((report) => report.limit === "disk")?.enforced).toBe(true)
    expect(limits.find((report) => report.limit === "pids")).toBeDefined()
  })

  test("never runs as root, and its two sides differ where root started it", () => {
    const { agent, sidecars } = parseRecord(it.bottle.record)!
    const uid = (pid: number) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^Uid:\s+(\d+)/m)?.[1])
    expect(uid(agent!.pid)).toBeGreaterThan(0)
    expect(uid(sidecars!.pid)).toBeGreaterThan(0)
    if (isRoot) expect(uid(agent!.pid)).not.toBe(uid(sidecars!.pid))
  })

  test("shows its agent a user, a home and a workspace of its own", async () => {
    const seen = await runShell(
      it.bottle,
      "id -un; id -u; echo ~; touch ~/a ~/workspace/b && echo wrote; cat /tools/tool; hostname",
    )
    expect(seen.output.split("\n")).toEqual(["node", "1000", "/home/node", "wrote", "tool".concat("bottle"), ""])
    expect(existsSync(join(it.spec.stateDir, "fs/home/a"))).toBe(true)
  })

  test("hides the operator's files and sockets, the state root and the kernel's settings", async () => {
    const hidden = [
      homedir(),
      it.spec.stateDir,
      it.spec.runtimeDir,
      "/var/run/docker.sock",
      "/sys",
      "/etc/shadow",
      "/etc/ssh",
      "/root",
    ]
    const seen = await runShell(it.bottle, hidden.map((path) => `ls -d ${path} 2>/dev/null`).join("; "))
    expect(seen.output).toBe("")
    const writes = [
      "/x",
      "/etc/x",
      "/usr/x",
      "/tools/x",
      "/run/bottle/net/x",
      "/dev/x",
      "/proc/sys/kernel/core_pattern",
    ]
    const tried = await runShell(
      it.bottle,
      writes.map((path) => `(echo x > ${path}) 2>/dev/null && echo ${path}`).join("; "),
    )
    expect(tried.output).toBe("")
  })

  test("answers forbidden calls with a refusal, and shows no path of the host", async () => {
    const run = await runShell(it.bottle, "/run/bottle/bottle calls")
    const { results, seen } = JSON.parse(run.output)
    const { unknown, clone3, x32, ...refused } = results
    expect(Object.values(refused).every((errno) => errno === 1)).toBe(true)
    expect([unknown, clone3, x32 ?? 38]).toEqual([38, 38, 38])
    expect(seen.processes.length).toBeLessThanOrEqual(4)
    for (const text of [seen.initCommand, seen.initEnvironment]) {
      expect(text).not.toContain(it.spec.stateDir)
      expect(text).not.toContain(homedir() === "/" ? "//" : homedir())
    }
    expect(seen.etc).not.toContain("shadow")
    expect(seen.run).toEqual(["bottle"])
  })

  test("writes files for the agent, through no link", async () => {
    await runShell(it.bottle, "ln -sf /tools/tool ~/linked")
    const files = [
      { path: "/run/bottle/ca.crt", mode: 0o644, content: "certificate" },
      { path: "/home/node/.config/deep/file", mode: 0o600, content: "" },
      { path: "/home/node/linked", mode: 0o600, content: "own" },
    ]
    expect(await ask(it.bottle, { op: "files", files })).toEqual({ ok: true })
    const seen = await runShell(
      it.bottle,
      "cat /etc/ssl/certs/ca-certificates.crt; stat -c %a ~/.config/deep/file; cat ~/linked; test -L ~/linked && echo link",
    )
    expect(seen.output).toBe("certificate600\nown")
  })

  test("ends as a whole and leaves nothing", async () => {
    const other = await launch(specIn(binary(), { limits: { memory: 1 << 30, pids: 100 } }))
    await runShell(other.bottle, "setsid sleep 1000 >/dev/null 2>&1 & true")
    const died = other.bottle.died()
    await other.bottle.stop()
    await other.bottle.stop()
    expect(await other.bottle.alive()).toEqual({ agent: false, sidecars: false })
    expect(["agent", "sidecars"]).toContain(await died)
    const record = parseRecord(other.bottle.record)!
    expect(findMarked(record.marker)).toEqual([])
    expect(record.cgroups.filter((path) => existsSync(path))).toEqual([])
    await expect(other.bottle.connectGuest()).rejects.toThrow("guest does not answer")
  })

  test("refuses a mount that an agent's link would lead out", async () => {
    const spec = specIn(binary(), { mounts: [{ source: open, target: "/home/node/.tools/bin", readonly: true }] })
    mkdirSync(join(spec.stateDir, "fs/home"), { recursive: true })
    Bun.spawnSync(["ln", "-s", "/oldroot/tmp", join(spec.stateDir, "fs/home/.tools")])
    await expect(launch(spec)).rejects.toThrow("a link lies in its way")
  })

  test("takes off again what was begun when a part cannot start", async () => {
    const spec = specIn(join(open, "tool"))
    const records: unknown[] = []
    const started = await backend.launch(spec, async (record) => void records.push(record)).catch((error) => error)
    if (!(started instanceof Error)) {
      await expect(started.connectGuest()).rejects.toThrow()
      await started.stop()
    }
    expect(findMarked(parseRecord(records[0] as never)!.marker)).toEqual([])
  })
})

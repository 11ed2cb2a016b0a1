import { afterEach, beforeAll, describe, expect, test } from "bun:test"
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import type { LaunchSpec } from "../../../src/backends/backend.ts"
import { parseRecord } from "../../../src/backends/docker/record.ts"
import { workspaceMark } from "../../../src/bottle/workspace.ts"
import { busyboxTree, importImage, useEngine } from "../../support/docker/engine.ts"
import { requirePart } from "../../support/require.ts"
import { tempDir } from "../../support/temp.ts"
import { runShell } from "../namespace/guest-client.ts"
import { backendOf, bringUpIn, specIn } from "./test-bottle.ts"

const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart)
const engine = useEngine(able)
const dir = tempDir("docker")

describe.skipIf(!able)("the life of a bottle in containers", () => {
  const backend = backendOf(engine)
  const made: LaunchSpec[] = []
  const up = async (spec = specIn(dir, { image: "busybox:1" })) => {
    made.push(spec)
    return { spec, ...(await bringUpIn(backend, spec)) }
  }
  const workspaceOf = (spec: LaunchSpec) => join(spec.stateDir, "fs/workspace")

  beforeAll(async () => importImage(engine, await busyboxTree(dir), "busybox:1"), 300_000)
  afterEach(async () => {
    for (const { slug } of made.splice(0)) await backend.forget?.(slug)
    expect(await engine.left()).toEqual([])
  })

  test("ends as a whole, leaves home and workspace, and is there again with both", async () => {
    const { bottle, spec } = await up()
    await runShell(bottle, "echo work > /workspace/f; echo home > ~/h; sleep 1000 & true")
    const died = bottle.died()
    await bottle.stop()
    await bottle.stop()
    expect(["agent", "sidecars"]).toContain(await died)
    expect(await bottle.alive()).toEqual({ agent: false, sidecars: false })
    expect((await engine.left()).sort()).toEqual(
      ["filled", "home", "workspace"].map((role) => `bot-bottle-${spec.slug}-${role}`),
    )
    const again = await up(spec)
    expect((await runShell(again.bottle, "cat /workspace/f ~/h")).output).toBe("work\nhome\n")
    await again.bottle.stop()
  })

  test("is adopted, proved and used by another process, and removed by its slug alone", async () => {
    const { bottle, spec, close } = await up()
    close()
    const record = JSON.parse(JSON.stringify(bottle.record))
    const other = await backendOf(engine).adopt(record, spec)
    expect((await other?.proveOutside())?.filter((probe) => !probe.ok)).toEqual([])
    expect((await runShell(other!, "echo here")).output).toBe("here\n")
    await backend.remove({ ...record, phase: "starting", agent: null, sidecars: null })
    expect(await backend.adopt(record, spec)).toBeUndefined()
  })

  test("tells which side died, and does not remove what only carries its label", async () => {
    const { bottle, spec } = await up()
    await engine.docker("create", "--name", "bystander", "--label", `bot-bottle.slug=${spec.slug}`, "busybox:1", "true")
    const died = bottle.died()
    const control = await bottle.connectControl()
    const closed = new Promise<void>((resolve) => control.on("close", resolve).resume())
    await engine.docker("kill", parseRecord(bottle.record)!.sidecars!.id)
    expect(await died).toBe("sidecars")
    await closed
    await bottle.stop()
    expect(await engine.left()).toContain("bystander")
    await engine.docker("rm", "bystander")
  })

  test("takes the host's workspace in and brings it home again the same", async () => {
    const spec = specIn(dir, { image: "busybox:1" })
    const workspace = workspaceOf(spec)
    mkdirSync(join(workspace, "a/deep"), { recursive: true })
    const long = "n".repeat(150)
    writeFileSync(join(workspace, "a/deep", long), "long", { mode: 0o600 })
    writeFileSync(join(workspace, "run.sh"), "#!/bin/sh\n", { mode: 0o755 })
    symlinkSync("/etc/passwd", join(workspace, "link"))
    const { bottle } = await up(spec)
    await backend.ownTree(workspace, spec.slug)
    const mark = await workspaceMark(backend, spec.slug, workspace)
    expect((await runShell(bottle, `cat /workspace/a/deep/${long}; stat -c %u:%a /workspace/run.sh`)).output).toContain(
      "long",
    )
    await backend.bringTrees?.(bottle.record, spec)
    expect(await workspaceMark(backend, spec.slug, workspace)).toBe(mark)
    expect(readlinkSync(join(workspace, "link"))).toBe("/etc/passwd")
    await runShell(bottle, "echo more >> /workspace/run.sh")
    await backend.bringTrees?.(bottle.record, spec)
    expect(await workspaceMark(backend, spec.slug, workspace)).not.toBe(mark)
    await bottle.stop()
  })

  test("brings home no device, pipe or set-id bit, and writes through no link", async () => {
    const { bottle, spec } = await up()
    await runShell(
      bottle,
      "cd /workspace; mkfifo pipe; echo x > twice; ln twice same; echo y > bits; chmod 6755 bits; ln -s /tmp out; mkdir shut; echo z > shut/f; chmod 500 shut",
    )
    await backend.bringTrees?.(bottle.record, spec)
    const workspace = workspaceOf(spec)
    expect(readdirSync(workspace).sort()).toEqual(["bits", "out", "same", "shut", "twice"])
    expect(statSync(join(workspace, "bits")).mode & 0o7777).toBe(0o755)
    expect(lstatSync(join(workspace, "out")).isSymbolicLink()).toBe(true)
    expect(statSync(join(workspace, "shut")).mode & 0o777).toBe(0o500)
    expect(readFileSync(join(workspace, "same"), "utf8")).toBe("x\n")
    expect(readdirSync(join(spec.stateDir, "fs")).sort()).toEqual(["home", "workspace"])
    await bottle.stop()
  })

  test("brings its trees home while programs start and files change", async () => {
    const { bottle, spec } = await up()
    const busy = runShell(
      bottle,
      "cd /workspace; for i in $(seq 300); do mkdir -p d$i/e; echo x > d$i/e/f; rm -r d$i; done; echo end",
    )
    const starts = Array.from({ length: 6 }, () => runShell(bottle, "true"))
    const brought = await Promise.allSettled([1, 2, 3].map(() => backend.bringTrees?.(bottle.record, spec)))
    expect(brought.length).toBe(3)
    expect((await Promise.all(starts)).map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0])
    expect((await busy).output).toBe("end\n")
    await backend.bringTrees?.(bottle.record, spec)
    expect(readdirSync(workspaceOf(spec))).toEqual([])
    await bottle.stop()
  })

  test("leaves nothing when its image is not there, or cannot be used", async () => {
    await expect(up(specIn(dir, { image: "none:1" }))).rejects.toThrow("the engine has no image none:1")
    await engine.docker("import", "-c", "VOLUME /etc", await emptyTar(), "volume:1")
    await expect(up(specIn(dir, { image: "volume:1" }))).rejects.toThrow('declares a volume at "/etc"')
    await expect(up(specIn(dir, { image: "busybox:1", runtime: "nosuch" }))).rejects.toThrow("nosuch")
    const mounts = [{ source: "/etc", target: "/x", readonly: true }]
    await expect(up({ ...specIn(dir), mounts })).rejects.toThrow("nothing of this machine")
  })

  test("outlives no engine that crashes, and says so once it is back", async () => {
    const { bottle, spec } = await up()
    const died = bottle.died()
    await runShell(bottle, "echo work > /workspace/f")
    await engine.crash()
    await expect(backend.remove(bottle.record)).rejects.toThrow("does not answer")
    await engine.start()
    await bottle.stop()
    expect(["agent", "sidecars"]).toContain(await died)
    const again = await up(spec)
    expect((await runShell(again.bottle, "cat /workspace/f")).output).toBe("work\n")
    await again.bottle.stop()
  })

  async function emptyTar(): Promise<string> {
    const path = join(dir, "empty.tar")
    await Bun.write(path, new Uint8Array(10_240))
    return path
  }
})

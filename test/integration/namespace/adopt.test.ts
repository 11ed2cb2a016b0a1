import { describe, expect, test } from "bun:test"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { inside } from "../../../sidecars/guest/protocol.ts"
import type { LaunchSpec, RuntimeRecord } from "../../../src/backends/backend.ts"
import { connectInside } from "../../../src/backends/namespace/connect.ts"
import { findMarked } from "../../../src/backends/namespace/host-processes.ts"
import { parseRecord } from "../../../src/backends/namespace/record.ts"
import { requirePart } from "../../support/require.ts"
import { waitFor } from "../../support/wait.ts"
import { runShell, startSession } from "./guest-client.ts"
import { backend, cleanUpAfterwards, launch, specIn, useFakeBinary } from "./test-bottle.ts"

const binary = useFakeBinary()
cleanUpAfterwards()

/** A bottle whose keeper was killed. */
async function orphan(): Promise<{ spec: LaunchSpec; record: RuntimeRecord }> {
  const spec = specIn(binary())
  const path = join(spec.stateDir, "runtime.json")
  const keeper = Bun.spawn(
    [process.execPath, join(import.meta.dir, "keep-for-adoption.ts"), JSON.stringify(spec), path],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  )
  for await (const _said of keeper.stdout) break
  keeper.kill("SIGKILL")
  await keeper.exited
  return { spec, record: JSON.parse(readFileSync(path, "utf8")) }
}

describe.skipIf(!requirePart("bwrap"))("a bottle whose keeper was killed", () => {
  test("lives on, is adopted, proved and stopped", async () => {
    const { spec, record } = await orphan()
    const bottle = await backend.adopt(record, spec)
    expect(await bottle?.alive()).toEqual({ agent: true, sidecars: true })
    expect((await bottle?.proveOutside())?.filter((probe) => !probe.ok)).toEqual([])
    expect(await runShell(bottle!, "echo here")).toMatchObject({ code: 0, output: "here\n" })
    const died = bottle!.died()
    await bottle!.stop()
    expect(["agent", "sidecars"]).toContain(await died)
    expect(await backend.adopt(record, spec)).toBeUndefined()
  })

  test("is removed by its record alone, also when that knows no process yet", async () => {
    const { spec, record } = await orphan()
    const { marker } = parseRecord(record)!
    expect(findMarked(marker).length).toBeGreaterThan(1)
    const early = { ...record, phase: "starting", agent: null, sidecars: null }
    expect(await backend.adopt(early, spec)).toBeUndefined()
    await backend.remove(early)
    await backend.remove(early)
    expect(findMarked(marker)).toEqual([])
  })

  test("is not taken for another process that has its number", async () => {
    const { bottle, spec } = await launch(specIn(binary()))
    const sleeper = Bun.spawn(["sleep", "100"])
    const record = parseRecord(bottle.record)!
    const reused = { ...record, marker: "none", agent: { ...record.agent!, pid: sleeper.pid } }
    expect(await backend.adopt(reused, spec)).toBeUndefined()
    await backend.remove({ ...reused, sidecars: null })
    expect(sleeper.exitCode).toBeNull()
    sleeper.kill()
    await bottle.stop()
  })

  test("is not adopted once half of it is gone, and tells which half", async () => {
    const { bottle, spec } = await launch(specIn(binary()))
    const { sidecars } = parseRecord(bottle.record)!
    const died = bottle.died()
    process.kill(sidecars!.pid, "SIGKILL")
    expect(await died).toBe("sidecars")
    expect(await backend.adopt(bottle.record, spec)).toBeUndefined()
    await bottle.stop()
  })
})

describe.skipIf(!requirePart("bwrap"))("the guest's socket", () => {
  const ways: [what: string, line: (host: string) => string][] = [
    ["a link to itself", () => "mv s real && ln -s real s"],
    ["a link to a socket of the host's", (host) => `rm s && ln -s ${host}/host-socket s`],
    ["a file", () => "rm s && touch s"],
    ["a directory", () => "rm s && mkdir s"],
    ["a link in the place of its directory", (host) => `cd .. && mv guest away && ln -s ${host} guest`],
  ]
  test.each(ways)("is not taken for %s that the agent puts in its way", async (_, line) => {
    const { bottle, spec } = await launch(specIn(binary()))
    let reached = 0
    const server = createServer((socket) => {
      reached++
      socket.destroy()
    })
    server.listen(join(spec.runtimeDir, "host-socket"))
    await once(server, "listening")
    const session = await startSession(bottle, ["/bin/sh", "-c", `cd /run/bottle/guest && ${line(spec.runtimeDir)}`])
    expect((await session.ended).code).toBe(0)
    const { pid } = parseRecord(bottle.record)!.agent!
    await expect(connectInside(pid, inside.guestSocket)).rejects.toThrow()
    expect(reached).toBe(0)
    server.close()
    await bottle.stop()
    await waitFor("the end", async () => !(await bottle.alive()).agent)
  })

  test("lies on a small file system of the bottle's own: nothing of the host's can be filled there", async () => {
    const { bottle, spec } = await launch(specIn(binary()))
    const before = readdirSync(spec.runtimeDir)
    const { code } = await runShell(bottle, "head -c 64M /dev/zero > /run/bottle/guest/fill")
    expect(code).not.toBe(0)
    expect(readdirSync(spec.runtimeDir)).toEqual(before)
    await bottle.stop()
  })
})

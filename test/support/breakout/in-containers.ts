import { beforeAll, expect } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { useEngine } from "../docker/engine.ts"
import { importPackages, whyNoHostImage } from "../docker/host-image.ts"
import { requirePart } from "../require.ts"
import { makeArena, requireArena } from "./arena.ts"
import { attackInside, besiege, besiegedBottle, listedHosts, makeCanaries, secret } from "./attempt.ts"
import { control } from "./control.ts"
import { judge, strays } from "./judge.ts"
import { tellTable } from "./table.ts"
import type { Vector } from "./vector.ts"

const packages = [
  "python3",
  "curl",
  "git",
  "openssh-client",
  "bash",
  "dash",
  "coreutils",
  "util-linux",
  "procps",
].concat(["libc-bin", "ca-certificates", "iproute2", "nodejs"])

/**
 * What only gVisor's own kernel says yes to: none of it is a call of this machine's kernel, a device of its or a way to
 * one (its tun device leads into its own network stack, which has loopback alone).
 */
const ownKernel = [
  "io_uring: LEAK io_uring",
  "a new user namespace: LEAK unshare",
  "a new user namespace by clone: LEAK clone",
  "open_by_handle_at: LEAK open_by_handle_at",
  "a tunnel device: LEAK",
  "the machine's memory and disks: LEAK /dev/fuse",
]

export interface ContainerSiege {
  here: boolean
  /** Run these attacks in a bottle of this runtime, and fail for whatever gets out. */
  attack(runtime: "runc" | "runsc", vectors: readonly Vector[]): Promise<void>
}

/** An engine inside the arena, with gVisor where this machine has it, and a bottle there to be attacked. */
export async function besiegeContainers(): Promise<ContainerSiege> {
  const here = ["binary", "bwrap", "dockerd"].every(requirePart) && whyNoHostImage() === undefined && requireArena()
  const arena = here ? await makeArena() : undefined
  const place = arena === undefined ? undefined : await besiege("root", arena)
  const runtime = `runsc=${arena === undefined ? "" : gvisorIn(arena.dir)}`
  const engine = useEngine(here, arena?.namespaces.home, { argv: ["--add-runtime", runtime] })
  beforeAll(async () => {
    if (arena === undefined || place === undefined) return
    await importPackages(engine, arena.dir, "besieged:1", packages)
    place.env.DOCKER_HOST = engine.host
    place.env.BOT_BOTTLE_BACKEND = "docker"
  }, 600_000)
  return {
    here,
    async attack(runtime, chosen) {
      if (arena === undefined || place === undefined) throw new Error("no arena")
      const bottle = besiegedBottle(arena.caFile)
      // Threads of gVisor's own count as the bottle's.
      const limited = runtime === "runc" ? bottle : bottle.replace(/^limits: .*\n/m, "")
      place.writeBottle("siege", `${limited}\ndocker: {image: "besieged:1", runtime: ${runtime}}`)
      const vectors = [control, ...chosen]
      const canaries = makeCanaries(vectors)
      await arena.take()
      const { attempts, stderr } = await attackInside(place, vectors, canaries)
      const captured = await arena.take()
      expect(attempts.find(({ name }) => name === control.name)?.output.toString(), stderr).toContain(
        "upstream says hello",
      )
      const requests = captured.filter(({ kind }) => kind === "request")
      expect(requests.some(({ head }) => head?.includes(`Authorization: Bearer ${secret}`))).toBe(true)

      const told = { canaryOf: canaries.of, canaryStart: canaries.start, secret, vectors: chosen }
      const findings = judge(chosen, { ...told, attempts, captured })
      const backend = runtime === "runc" ? "docker" : "gvisor"
      tellTable(findings.map((finding) => ({ ...finding, backend, who: "root" })))
      const leaks = findings
        .filter(({ vector, leak }) => leak !== undefined && vector.limit === undefined)
        .map(({ vector, leak }) => `${vector.name}: ${leak}`)
      expect(leaks.filter((leak) => runtime === "runc" || !ownKernel.includes(leak))).toEqual([])
      // The first container of an engine's bridge is the sidecars': what goes there are answers, on their last step.
      const left = captured.filter(({ kind, to }) => !(kind === "packet" && to === "172.17.0.2"))
      expect(strays(left, listedHosts, secret)).toEqual([])
      expect(await engine.left()).toEqual([])
    },
  }
}

/** gVisor with the flags that a bottle needs: no network of its own, and sockets of the volume's may be opened. */
function gvisorIn(dir: string): string {
  const path = join(dir, "runsc")
  writeFileSync(path, '#!/bin/sh\nexec runsc --network=none --host-uds=open "$@"\n', { mode: 0o755 })
  return path
}

import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { release, tmpdir } from "node:os"
import { basename, join } from "node:path"
import { BottleError } from "../../lib/errors.ts"
import { createPaths } from "../../lib/paths.ts"
import type { Availability, Backend } from "../backend.ts"
import { architectureOf, compileBpf } from "../seccomp/bpf.ts"
import { profile, sidecarProfile } from "../seccomp/profile.ts"
import { readUidMap } from "./bwrap.ts"
import { type CgroupHost, countsPerNamespace, findCgroups, missingControllers } from "./cgroups.ts"
import { treesFreezer } from "./freezer.ts"
import { isAlive } from "./host-processes.ts"
import { type Identities, type Identity, identitiesFor } from "./identity.ts"
import { launchBottle } from "./launch.ts"
import { leftHere } from "./left.ts"
import { endMoments, leftMoments, momentMarker } from "./moments.ts"
import { tryBoundary } from "./probe.ts"
import { parseRecord } from "./record.ts"
import { endBottle, runningBottle } from "./running.ts"
import { runSealed } from "./sealed.ts"
import { findTools, requireTools } from "./tools.ts"
import { giveTree, removeTree } from "./trees.ts"

/** What the backend takes from its process; tests give other values. */
export interface NamespaceDeps {
  platform: string
  arch: string
  /** Who we are. */
  caller: Identity
  /** The caller's PATH, searched after the system's places. */
  path: string
  /** What stands for the home that is served, short. */
  home: string
}

export function namespaceDeps(): NamespaceDeps {
  return {
    platform: process.platform,
    arch: process.arch,
    caller: { uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 },
    path: process.env.PATH ?? "",
    home: basename(createPaths(process.env).runtimeRoot),
  }
}

/**
 * Bottles in Linux namespaces, made with bubblewrap: nothing to install but that, no daemon, no image. An ordinary
 * user's bottles run as himself in user namespaces; root's run as users of their own.
 */
export function createNamespaceBackend(deps: NamespaceDeps = namespaceDeps()): Backend {
  const isRoot = deps.caller.uid === 0
  const identities = (slug: string): Identities => identitiesFor(slug, deps.caller, isRoot ? readUidMap() : "")
  const agentUser = (slug: string): Identity | undefined => {
    const found = identities(slug)
    return found.dedicated ? found.agent : undefined
  }
  const trees: Pick<Backend, "sealed" | "ownTree" | "removeTree"> = {
    sealed: (run, slug) =>
      withScratch((scratch) =>
        runSealed(run, {
          tools: requireTools(isRoot, deps.path),
          become: agentUser(slug),
          seccomp: filterFor(deps.arch),
          scratch,
          marker: momentMarker(deps.home),
          countsPerNamespace: countsPerNamespace(release()),
        }),
      ),
    async ownTree(dir, slug) {
      const user = agentUser(slug)
      if (user !== undefined) await giveTree(dir, user)
    },
    removeTree,
  }
  return {
    ...trees,
    freezer: treesFreezer(trees),
    name: "namespace",
    probe: () => probe(deps),
    launch: (spec, recorded) =>
      launchBottle(spec, recorded, {
        tools: requireTools(isRoot, deps.path),
        identities: identities(spec.slug),
        seccomp: filterFor(deps.arch),
        sidecarSeccomp: filterFor(deps.arch, sidecarProfile),
        cgroups: cgroupsHere(),
        countsPerNamespace: countsPerNamespace(release()),
      }),
    async adopt(record, spec) {
      const found = parseRecord(record)
      if (found === undefined || found.agent === null || found.sidecars === null || found.phase !== "running")
        return undefined
      if (!isAlive(found.agent) || !isAlive(found.sidecars)) return undefined
      return runningBottle({ ...found, agent: found.agent, sidecars: found.sidecars }, spec)
    },
    async left(record) {
      const found = parseRecord(record)
      return found === undefined ? [] : leftHere(found)
    },
    strays: async () => leftMoments({ uid: deps.caller.uid, home: deps.home }),
    endStrays: () => endMoments({ uid: deps.caller.uid, home: deps.home }),
    async remove(record) {
      const found = parseRecord(record)
      if (found !== undefined) await endBottle(found)
    },
  }
}

function filterFor(arch: string, wanted = profile): Uint8Array {
  const architecture = architectureOf(arch)
  if (architecture !== undefined) return compileBpf(wanted, architecture)
  throw new BottleError(`no system call filter for this machine (${arch})`, {
    code: "namespace-unusable",
    exit: "missingPart",
    hint: "the namespace backend runs on x86-64 and arm64",
  })
}

async function probe(deps: NamespaceDeps): Promise<Availability> {
  if (deps.platform !== "linux") {
    return { usable: false, reason: "Linux namespaces exist on Linux only", remedy: "choose another backend" }
  }
  const isRoot = deps.caller.uid === 0
  const tools = findTools(isRoot, deps.path)
  if ("missing" in tools) return { usable: false, reason: tools.missing, remedy: tools.remedy }
  try {
    const identities = identitiesFor("probe", deps.caller, isRoot ? readUidMap() : "")
    const become = identities.dedicated ? identities.agent : undefined
    const seccomp = filterFor(deps.arch)
    return await withScratch((scratch) =>
      tryBoundary({ tools, become, seccomp, scratch, marker: momentMarker(deps.home), warnings: limitWarnings() }),
    )
  } catch (error) {
    if (!(error instanceof BottleError)) throw error
    return { usable: false, reason: error.message, remedy: error.hint ?? "" }
  }
}

function limitWarnings(): string[] {
  const missing = missingControllers(cgroupsHere())
  // A process limit needs no group where the kernel counts it for the boundary alone.
  const unheld = missing.filter((limit) => limit !== "pids" || !countsPerNamespace(release()))
  return unheld.length === 0
    ? []
    : [`limits not enforced on this machine: ${unheld.join(", ")} (no control group to use)`]
}

function cgroupsHere(): CgroupHost {
  return findCgroups({
    mountinfo: readFileSync("/proc/self/mountinfo", "utf8"),
    own: readFileSync("/proc/self/cgroup", "utf8"),
  })
}

/** A private directory for as long as `use` takes. */
async function withScratch<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "bottle-"))
  try {
    return await use(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

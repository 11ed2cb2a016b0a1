import { chmodSync, closeSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../../lib/errors.ts"
import type { LaunchSpec, RunningBottle, RuntimeRecord } from "../backend.ts"
import { agentBoundary, pathsOf } from "./agent-boundary.ts"
import { type StartedBoundary, startBoundary, type Tools } from "./bwrap.ts"
import { type CgroupHost, holdLimits, joinGroups } from "./cgroups.ts"
import { descendantsOf, markProcess, type ProcessMark } from "./host-processes.ts"
import type { Identities } from "./identity.ts"
import type { NamespaceRecord } from "./record.ts"
import { endBottle, runningBottle } from "./running.ts"
import { sidecarBoundary, sidecarFilter } from "./sidecar-boundary.ts"
import { giveTree, prepareDirectories } from "./trees.ts"

export interface LaunchDeps {
  tools: Tools
  identities: Identities
  seccomp: Uint8Array
  /** The sidecars' own. */
  sidecarSeccomp: Uint8Array
  cgroups: CgroupHost
  countsPerNamespace: boolean
}

type Recorded = (record: RuntimeRecord) => Promise<void>

/** Make both boundaries at the same time. On any failure everything that was begun is ended again. */
export async function launchBottle(spec: LaunchSpec, recorded: Recorded, deps: LaunchDeps): Promise<RunningBottle> {
  const { identities } = deps
  prepareDirectories(spec, identities)
  const paths = pathsOf(spec)
  writeFileSync(join(paths.etc, sidecarFilter), deps.sidecarSeccomp, { mode: 0o644 })
  chmodSync(join(paths.etc, sidecarFilter), 0o644)
  if (identities.dedicated) {
    await giveTree(paths.home, identities.agent)
    await giveTree(paths.workspace, identities.agent)
  }
  const limits = holdLimits(spec.limits, spec.slug, deps.cgroups, deps.countsPerNamespace)
  const starting: NamespaceRecord = {
    backend: "namespace",
    slug: spec.slug,
    phase: "starting",
    runtimeDir: spec.runtimeDir,
    marker: `${spec.slug}/${crypto.randomUUID()}`,
    agent: null,
    sidecars: null,
    cgroups: limits.groups,
    limits: limits.reports,
  }
  await recorded(starting)
  const begun: StartedBoundary[] = []
  try {
    const sidecars = startSidecars(spec, starting.marker, deps)
    begun.push(sidecars)
    const agent = startAgent(spec, starting.marker, limits.guestLimits, deps)
    begun.push(agent)
    const said = listen(agent)
    const record = {
      ...starting,
      phase: "running" as const,
      agent: await marked(agent, "agent", said),
      sidecars: await marked(sidecars, "sidecars", () => ""),
    }
    // The agent starts later, by a request: until then nothing but the guest is inside to be moved.
    joinTree(record.cgroups, record.agent.pid)
    await recorded(record)
    const ended = Promise.race([agent.monitor.exited, sidecars.monitor.exited])
    return runningBottle(record, spec, { ended, said })
  } catch (error) {
    // A boundary whose first process is known, or that failed, forks no more on its way up.
    await Promise.all(begun.map((started) => started.pid))
    await endBottle(starting)
    throw error
  }
}

/**
 * Put a process and all below it into the groups. What forks after it was moved is born inside; what forked before is
 * found by looking again until nobody new is seen.
 */
function joinTree(groups: readonly string[], root: number): void {
  if (groups.length === 0) return
  const moved = new Set<number>()
  for (let found = [root]; found.length > 0; found = descendantsOf(root).filter((pid) => !moved.has(pid))) {
    for (const pid of found) {
      joinGroups(groups, pid)
      moved.add(pid)
    }
  }
}

function startAgent(spec: LaunchSpec, marker: string, limits: readonly string[], deps: LaunchDeps): StartedBoundary {
  return startBoundary({
    boundary: agentBoundary(spec, limits),
    tools: deps.tools,
    become: deps.identities.dedicated ? deps.identities.agent : undefined,
    seccomp: deps.seccomp,
    marker,
    scratch: spec.runtimeDir,
    stdin: "ignore",
    stdout: "ignore",
    // A pipe and not a file: the agent could open a file of ours again, for writing, through the guest's descriptor.
    stderr: "pipe",
  })
}

function startSidecars(spec: LaunchSpec, marker: string, deps: LaunchDeps): StartedBoundary {
  const log = openSync(join(spec.stateDir, "sidecars.log"), "a", 0o600)
  const { dedicated } = deps.identities
  try {
    return startBoundary({
      boundary: sidecarBoundary(spec),
      tools: deps.tools,
      become: dedicated ? deps.identities.sidecars : undefined,
      seccomp: undefined,
      marker,
      scratch: spec.runtimeDir,
      // The agent is another user and must be able to connect; only the boundary's mounts decide who sees the sockets.
      ...(dedicated ? { umask: 0 } : {}),
      stdin: "ignore",
      stdout: log,
      stderr: log,
    })
  } finally {
    closeSync(log)
  }
}

async function marked(started: StartedBoundary, name: string, said: () => string): Promise<ProcessMark> {
  const pid = await started.pid
  const mark = pid === undefined ? undefined : markProcess(pid)
  if (mark !== undefined) return mark
  await started.monitor.exited
  throw new BottleError(`the ${name}'s boundary could not be made${said() === "" ? "" : `: ${said().trim()}`}`, {
    code: "namespace-launch",
    exit: "failed",
    hint: "bottle doctor shows what this machine lacks",
  })
}

const mostSaid = 4096

/** Keep the first words on the boundary's stderr, and read the rest away so that nobody waits for us. */
function listen(started: StartedBoundary): () => string {
  let text = ""
  const { stderr } = started.monitor
  if (stderr instanceof ReadableStream) {
    void (async () => {
      const decoder = new TextDecoder()
      for await (const bytes of stderr as ReadableStream<Uint8Array>) {
        if (text.length < mostSaid) text = (text + decoder.decode(bytes, { stream: true })).slice(0, mostSaid)
      }
    })().catch(() => {})
  }
  return () => text
}

import { join } from "node:path"
import type { Duplex } from "node:stream"
import { inside } from "../../../sidecars/guest/protocol.ts"
import { BottleError } from "../../lib/errors.ts"
import type { Alive, LaunchSpec, Probe, RunningBottle } from "../backend.ts"
import { agentBoundary, pathsOf } from "./agent-boundary.ts"
import { removeGroups } from "./cgroups.ts"
import { connectInside, connectOutside, connectWhenReady } from "./connect.ts"
import { goOn, holdStill } from "./hold-still.ts"
import { findMarked, isAlive, killAll, type ProcessMark } from "./host-processes.ts"
import { namelessBytes } from "./nameless-files.ts"
import { proveOutside } from "./prove-outside.ts"
import type { NamespaceRecord } from "./record.ts"

/** A boundary that takes longer than this to listen is broken. */
const readyMilliseconds = 30_000
const watchMilliseconds = 200

export type RunningRecord = NamespaceRecord & { agent: ProcessMark; sidecars: ProcessMark }

/** What a launch knows beyond the record: its own children, and what the agent's side said before it could answer. */
export interface LaunchedParts {
  ended?: Promise<unknown>
  said?: () => string
}

const gone: Probe = { side: "outside", name: "guest-process", ok: false, detail: "gone" }

/** A bottle whose two boundaries are there, made by this process or found. */
export function runningBottle(record: RunningRecord, spec: LaunchSpec, parts: LaunchedParts = {}): RunningBottle {
  const paths = pathsOf(spec)
  let stoodStill: ReadonlySet<number> = new Set()
  const alive = (): Alive => ({ agent: isAlive(record.agent), sidecars: isAlive(record.sidecars) })
  const open = {
    agent: () => connectInside(record.agent.pid, inside.guestSocket),
    sidecars: () => connectOutside(join(paths.control, "s")),
  }
  const connectTo = async (side: "agent" | "sidecars"): Promise<Duplex> => {
    try {
      return await connectWhenReady(open[side], () => alive()[side], readyMilliseconds)
    } catch (error) {
      const said = side === "agent" ? parts.said?.().trim() : undefined
      throw new Error(
        `the ${side === "agent" ? "guest" : "sidecar supervisor"} does not answer${said ? `: ${said}` : ""}`,
        { cause: error },
      )
    }
  }
  return {
    record,
    connectControl: () => connectTo("sidecars"),
    connectGuest: () => connectTo("agent"),
    async proveOutside(): Promise<Probe[]> {
      // Before the guest listens its process may still be on the way to its filter.
      await connectTo("agent").then(
        (stream) => stream.destroy(),
        () => {},
      )
      return isAlive(record.agent) ? proveOutside(record.agent.pid, agentBoundary(spec, [])) : [gone]
    },
    alive: async () => alive(),
    died: () => whichDied(alive, parts.ended),
    namelessBytes: () => namelessBytes(record.agent.pid, paths.workspace),
    async hold() {
      stoodStill = await holdStill(record.agent.pid)
    },
    async letGo() {
      if (isAlive(record.agent)) goOn(record.agent.pid, stoodStill)
      stoodStill = new Set()
    },
    stop: () => endBottle(record),
  }
}

async function whichDied(alive: () => Alive, ended: Promise<unknown> | undefined): Promise<"agent" | "sidecars"> {
  // Our own children announce their end, at once; of adopted ones only a look tells. Either way the look decides.
  let announced = ended?.then(() => undefined)
  for (;;) {
    const now = alive()
    if (!now.agent) return "agent"
    if (!now.sidecars) return "sidecars"
    const pause = Bun.sleep(watchMilliseconds)
    if (announced === undefined) await pause
    else await Promise.race([announced.then(() => (announced = undefined)), pause])
  }
}

const sweepMilliseconds = 10_000
const sweepPause = 20

/**
 * End every process that belongs to the record, known by number or by marker, and what held its limits. A boundary
 * that was only being made forks while it is looked for, and hides its environment for a moment as it changes users:
 * where a number is missing, one empty look is not believed.
 */
export async function endBottle(record: NamespaceRecord, limit = sweepMilliseconds): Promise<void> {
  const known = [record.agent, record.sidecars].filter((mark) => mark !== null)
  const end = performance.now() + limit
  const left = () => Math.max(0, end - performance.now())
  if (!(await killAll(known, left()))) throw unending(record, known.filter(isAlive))
  const looks = known.length === 2 ? 1 : 4
  for (let empty = 0; empty < looks; ) {
    const found = findMarked(record.marker)
    empty = found.length === 0 ? empty + 1 : 0
    if (found.length > 0 && (left() === 0 || !(await killAll(found, left())))) throw unending(record, found)
    if (found.length === 0 && empty < looks) await Bun.sleep(sweepPause)
  }
  await removeGroups(record.cgroups)
}

/** Killed and still there: the kernel waits for something of its own, such as a disk that does not answer. */
function unending({ slug }: NamespaceRecord, marks: readonly ProcessMark[]): BottleError {
  const pids = marks.map(({ pid }) => pid).join(", ")
  return new BottleError(`${slug}: processes were killed and do not end (${pids})`, {
    code: "unending",
    exit: "failed",
    hint: `see what they wait for: ps -o pid,stat,wchan,args -p ${pids.replaceAll(" ", "")}; then bottle destroy ${slug}`,
  })
}

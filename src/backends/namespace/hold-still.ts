import { BottleError } from "../../lib/errors.ts"
import { childrenOf, descendantsOf, stateOf } from "./host-processes.ts"

/** A machine with much else to do takes seconds to stop a process, in ms. */
const patience = 60_000
const pause = 10

/**
 * Stop every process at and below this one, which a boundary cannot refuse its host, and look until nobody new is seen
 * and all stand still. Returns those that stood still before. Rejects, with all going on again, when they do not.
 */
export async function holdStill(root: number): Promise<ReadonlySet<number>> {
  const everyone = () => [root, ...descendantsOf(root)]
  const before = new Set(everyone().filter(isStill))
  const limit = performance.now() + patience
  for (let quiet = 0; quiet < 2; ) {
    const moving = everyone().filter((pid) => !isStill(pid))
    quiet = moving.length === 0 ? quiet + 1 : 0
    if (performance.now() > limit) {
      goOn(root, before)
      throw new BottleError("the agent's processes do not hold still", {
        code: "freeze-hold",
        exit: "failed",
        hint: "stop the bottle first, then freeze it",
      })
    }
    const awaited = moving.filter((pid) => stateOf(pid) === "D").flatMap(childrenOf)
    for (const pid of moving) if (!awaited.includes(pid)) signal(pid, "SIGSTOP")
    for (const pid of awaited) if (!before.has(pid)) signal(pid, "SIGCONT")
    if (moving.length > 0) await Bun.sleep(pause)
  }
  return before
}

/** Let them go on, but for those that stood still by themselves. */
export function goOn(root: number, but: ReadonlySet<number>): void {
  for (const pid of [...descendantsOf(root).reverse(), root]) if (!but.has(pid)) signal(pid, "SIGCONT")
}

/** Stopped, being traced while stopped, or ended. */
function isStill(pid: number): boolean {
  return ["T", "t", "Z", "X", undefined].includes(stateOf(pid))
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Gone between the look and the signal.
  }
}

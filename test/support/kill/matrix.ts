import type { AgentKind, BottleRun } from "./bottle-run.ts"
import type { Victim } from "./processes.ts"

/** One place in the life of a bottle at which one process is killed, and what must be true afterwards. */
export interface KillCase {
  name: string
  victim: Victim
  agent: AgentKind
  headless: boolean
  /** What is done once the agent runs; undefined: the kill comes while it is being started. */
  afterwards?: "kill" | "stop" | "exit"
  /** The moment, looked for many times a millisecond. */
  when(run: BottleRun): boolean
  /** States of the row in the listing that tell the truth about it; "" is no row. */
  truth: readonly string[]
}

type Moment = readonly [name: string, when: (run: BottleRun) => boolean]

const phase = (run: BottleRun): string => /"phase":"(\w+)"/.exec(run.read("keeper.json"))?.[1] ?? ""

/** Every record and log line of a start, in order. */
const startMoments: readonly Moment[] = [
  ["the state directory", (run) => run.slug !== ""],
  ["the keeper's lock", (run) => run.has("keeper.lock")],
  ["the keeper's record", (run) => run.has("keeper.json")],
  ["the metadata", (run) => run.has("metadata.json")],
  ["the plan", (run) => run.has("plan.json")],
  ["the record before the first process", (run) => run.has("runtime.json")],
  ["the record of both boundaries", (run) => run.read("runtime.json").includes('"phase": "running"')],
  ["both boundaries", (run) => run.read("bringup.log").includes("both boundaries started")],
  ["the guest's files", (run) => run.read("bringup.log").includes("files in place")],
  ["the policy in force", (run) => run.read("bringup.log").includes("in force")],
  ["the fence proof", (run) => run.read("bringup.log").includes("fence ")],
  ["the mark of the workspace", (run) => run.has("workspace.mark")],
  ["the keeper's record of a bottle that is ready", (run) => phase(run) === "keeping"],
  ["ready", (run) => run.read("bringup.log").includes("ready after")],
]

/** Every record and log line of an end, in order. */
const endMoments: readonly Moment[] = [
  ["the keeper's record of an end", (run) => phase(run) === "ending"],
  ["the end in the log", (run) => run.read("teardown.log").includes("ending:")],
  ["the decision", (run) => run.has(".preserve") || phase(run) === "removing"],
  ["every process has ended", (run) => run.read("teardown.log").includes("every process has ended")],
  ["the keeper's record is gone", (run) => !run.has("keeper.json")],
]

const started = ["starting", "idle", "running", "closed", "stopped", ""]

function startCases(): KillCase[] {
  const victims: readonly Victim[] = ["keeper", "supervisor", "egress", "first", "guest", "client"]
  return startMoments.flatMap(([at, when], index) =>
    victims.flatMap((victim): KillCase[] => {
      // Before the record of both boundaries there are no others; the kill waits for them, which is the same moment.
      const early = index < 6
      if (early && victim !== "keeper" && victim !== "client") return []
      const headless = index % 2 === 0
      return [{ name: `start, ${at}: ${victim}`, victim, agent: "idle", headless, when, truth: started }]
    }),
  )
}

function runCases(): KillCase[] {
  const truths: readonly [Victim, headless: readonly string[], interactive: readonly string[]][] = [
    ["keeper", ["stopped"], ["idle"]],
    ["supervisor", ["closed"], ["closed"]],
    ["egress", ["running"], ["running"]],
    ["first", ["closed"], ["closed"]],
    ["guest", ["closed"], ["closed"]],
    ["agent", ["stopped"], ["stopped"]],
    ["client", ["stopped"], ["idle"]],
  ]
  return truths.flatMap(([victim, headless, interactive]) =>
    [true, false].map(
      (mode): KillCase => ({
        name: `run, ${mode ? "headless" : "interactive"}: ${victim}`,
        victim,
        agent: "working",
        headless: mode,
        afterwards: "kill",
        when: () => true,
        truth: mode ? headless : interactive,
      }),
    ),
  )
}

function endCases(): KillCase[] {
  const ways: readonly [string, AgentKind, "stop" | "exit", readonly string[]][] = [
    ["stop", "working", "stop", ["stopped", "closed"]],
    ["stop of a clean one", "idle", "stop", ["stopped", "closed", ""]],
    ["settle", "failing", "exit", ["stopped", "closed"]],
    ["settle of a clean one", "clean", "exit", ["stopped", "closed", ""]],
  ]
  const victims: readonly Victim[] = ["keeper", "supervisor", "egress", "first", "client"]
  return ways.flatMap(([way, agent, afterwards, truth], index) =>
    endMoments.flatMap(([at, when], step) =>
      // The last two come when only the keeper and its client are left.
      victims
        .filter((victim) => step < 3 || victim === "keeper" || victim === "client")
        .map(
          (victim): KillCase => ({
            name: `${way}, ${at}: ${victim}`,
            victim,
            agent,
            headless: index % 2 === 1,
            afterwards,
            when,
            truth,
          }),
        ),
    ),
  )
}

/** Every place of the matrix. */
export const everyCase: readonly KillCase[] = [...startCases(), ...runCases(), ...endCases()]

/** A part of it that has every victim and every moment, small enough for `npm test`. */
export function shortMatrix(offset: number): KillCase[] {
  const runs = runCases().filter((_, index) => index % 2 === offset % 2)
  const starts = startCases().filter((_, index) => (index + offset) % 8 === 0)
  const ends = endCases().filter((_, index) => (index + offset) % 14 === 0)
  return [...starts, ...runs, ...ends]
}

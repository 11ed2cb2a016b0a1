import type { AgentKind } from "../bottle-run.ts"
import type { DockerRun, DockerVictim } from "./docker-run.ts"

/** One place in the life of a bottle in containers at which one process is killed. */
export interface DockerCase {
  name: string
  victim: DockerVictim
  agent: AgentKind
  headless: boolean
  /** What is done once the agent runs; undefined: the kill comes while it is being started. */
  afterwards?: "kill" | "stop" | "exit" | "resume"
  when(run: DockerRun): boolean
  /** States of the row that tell the truth about it; default: any that can last. */
  truth?: readonly string[]
}

type Moment = readonly [name: string, when: (run: DockerRun) => boolean]

const phase = (run: DockerRun): string => /"phase":"(\w+)"/.exec(run.read("keeper.json"))?.[1] ?? ""
const logged = (words: string) => (run: DockerRun) => run.read("bringup.log").includes(words)
const recorded = (words: string) => (run: DockerRun) => run.read("runtime.json").includes(words)

/** Every record and log line of a start, in order. */
const startMoments: readonly Moment[] = [
  ["the state directory", (run) => run.slug !== ""],
  ["the keeper's record", (run) => run.has("keeper.json")],
  ["the plan", (run) => run.has("plan.json")],
  ["the record before the first container", (run) => run.has("runtime.json")],
  ["the sidecars' container", recorded('"sidecars": {')],
  ["the agent's container", recorded('"agent": {')],
  ["the record of both running", recorded('"phase": "running"')],
  ["both boundaries", logged("both boundaries started")],
  ["the guest's files", logged("files in place")],
  ["the policy in force", logged("in force")],
  ["the fence proof", logged("fence ")],
  ["the mark of the workspace", (run) => run.has("workspace.mark")],
  ["ready", logged("ready after")],
]
/** From here on there is something in the containers. */
const firstInside = 6

const endMoments: readonly Moment[] = [
  ["the keeper's record of an end", (run) => phase(run) === "ending"],
  ["the end in the log", (run) => run.read("teardown.log").includes("ending:")],
  ["the decision", (run) => run.has(".preserve") || phase(run) === "removing"],
  ["every process has ended", (run) => run.read("teardown.log").includes("every process has ended")],
]

const insides: readonly DockerVictim[] = ["supervisor", "egress", "sidecars-init", "agent-init", "guest"]

function startCases(): DockerCase[] {
  return startMoments.flatMap(([at, when], index) => {
    const victims: DockerVictim[] = ["keeper", "client", ...(index < firstInside ? [] : insides)]
    if (index % 3 === 0) victims.push("dockerd")
    return victims.map(
      (victim): DockerCase => ({
        ...{ name: `start, ${at}: ${victim}`, victim, when },
        ...{ agent: "idle", headless: index % 2 === 0 },
      }),
    )
  })
}

function runCases(): DockerCase[] {
  const ended = [["closed"], ["closed"]] as const
  const victims: readonly [DockerVictim, headless: readonly string[], interactive: readonly string[]][] = [
    ["keeper", ["stopped"], ["idle"]],
    ["client", ["stopped"], ["idle"]],
    ["supervisor", ...ended],
    ["egress", ["running"], ["running"]],
    ["sidecars-init", ...ended],
    ["agent-init", ...ended],
    ["guest", ...ended],
    ["agent", ["stopped"], ["stopped"]],
    // The session's own, or the keeper's.
    ["guest-relay", ["running", "stopped"], ["running", "idle"]],
    // The session's among them.
    ["streams", ["stopped"], ["idle"]],
    ["dockerd", ["stopped", "closed"], ["closed"]],
  ]
  return victims.flatMap(([victim, alone, seen]) =>
    [true, false].map(
      (headless): DockerCase => ({
        ...{ name: `run, ${headless ? "headless" : "interactive"}: ${victim}`, victim, headless },
        ...{ agent: "working", afterwards: "kill", when: () => true, truth: headless ? alone : seen },
      }),
    ),
  )
}

function endCases(): DockerCase[] {
  const ways: readonly [string, AgentKind, "stop" | "exit"][] = [
    ["stop", "working", "stop"],
    ["settle", "failing", "exit"],
    ["settle of a clean one", "clean", "exit"],
  ]
  const victims: DockerVictim[] = ["keeper", "client", "supervisor", "agent-init", "dockerd"]
  return ways.flatMap(([way, agent, afterwards], index) =>
    endMoments.flatMap(([at, when], step) =>
      victims
        .filter((victim) => step < 3 || victim === "keeper" || victim === "dockerd")
        .map(
          (victim): DockerCase => ({
            ...{ name: `${way}, ${at}: ${victim}`, victim, agent, afterwards, when },
            headless: index % 2 === 1,
          }),
        ),
    ),
  )
}

function resumeCases(): DockerCase[] {
  return startMoments.slice(3).flatMap(([at, when], index) =>
    (["keeper", "client", "dockerd"] as const)
      .filter((victim) => victim !== "dockerd" || index % 3 === 0)
      .map(
        (victim): DockerCase => ({
          ...{ name: `resume, ${at}: ${victim}`, victim, agent: "working", afterwards: "resume" },
          ...{ headless: true, when },
        }),
      ),
  )
}

export const everyDockerCase: readonly DockerCase[] = [...startCases(), ...runCases(), ...endCases(), ...resumeCases()]

/** A few of them, with every kind of victim, small enough for `npm test`. */
export function shortDockerMatrix(): DockerCase[] {
  const wanted = [
    "start, the agent's container: keeper",
    "start, both boundaries: dockerd",
    "run, interactive: streams",
    "run, headless: supervisor",
    "run, interactive: dockerd",
    "stop, the decision: keeper",
    "settle, every process has ended: dockerd",
    "resume, the sidecars' container: keeper",
    "resume, the mark of the workspace: keeper",
  ]
  return everyDockerCase.filter(({ name }) => wanted.includes(name))
}

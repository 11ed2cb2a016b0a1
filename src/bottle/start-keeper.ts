import { resolve } from "node:path"
import { BottleError } from "../lib/errors.ts"
import { LineReader } from "../lib/lines.ts"
import type { KeeperOrder, KeeperReport } from "./keeper/protocol.ts"

export type Ready = Extract<KeeperReport, { event: "ready" }>

/** A keeper's process that has been started and does nothing until it is told what. */
export interface WaitingKeeper {
  readonly slug: string
  /**
   * Give the order, which holds the secrets and goes through a pipe, and wait until the bottle is ready. Throws
   * `BottleError` with the keeper's own reason. Ending this process before `ready` cancels the launch.
   */
  order(order: KeeperOrder, onStep: (text: string) => void): Promise<Ready>
  /** It is not needed: one that has no order has made nothing, and is gone when this resolves. One that has goes on. */
  dismiss(): Promise<void>
}

/** Start a bottle's keeper, in a session of its own so that it outlives the terminal. */
export function spawnKeeper(slug: string): WaitingKeeper {
  const keeper = spawn([slug])
  let isOrdered = false
  return {
    slug,
    async order(order, onStep) {
      isOrdered = true
      keeper.stdin.write(`${JSON.stringify(order)}\n`)
      await keeper.stdin.flush()
      return untilReady(keeper, onStep)
    },
    async dismiss() {
      void keeper.stdin.end()
      if (isOrdered) return
      keeper.kill("SIGKILL")
      await keeper.exited
    },
  }
}

/** Start a keeper that takes over a bottle whose keeper died. Throws `BottleError` when there is nothing to take over. */
export function adoptBottle(slug: string): Promise<Ready> {
  return untilReady(spawn([slug, "--adopt"]), () => undefined)
}

function spawn(args: string[]) {
  const env = keeperEnvironment(process.env)
  const argv = [process.execPath, "keep", ...args]
  return Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr: "ignore", detached: true, cwd: "/", env })
}

async function untilReady(keeper: ReturnType<typeof spawn>, onStep: (text: string) => void): Promise<Ready> {
  const reader = new LineReader()
  for await (const chunk of keeper.stdout) {
    for (const line of reader.push(chunk)) {
      const report = JSON.parse(line) as KeeperReport
      if (report.event === "step") onStep(report.text)
      if (report.event === "failed") throw failure(report)
      if (report.event === "ready") {
        keeper.unref()
        return report
      }
    }
  }
  throw new BottleError("the bottle's keeper ended without a word", {
    code: "keeper",
    exit: "failed",
    hint: "its last words may be in logs/keeper.log",
  })
}

/**
 * The keeper lives long, and the caller's environment is where tokens are: it gets what says where things are, and
 * nothing else.
 */
function keeperEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = ["PATH", "HOME", "BOT_BOTTLE_HOME", "XDG_RUNTIME_DIR", "LANG", "TZ"]
  // Which engine it is, as the docker command reads them, and who proves to one behind ssh that it is us.
  const engine = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "SSH_AUTH_SOCK"]
  // The keeper stands elsewhere.
  const places = ["DOCKER_CONFIG", "DOCKER_CERT_PATH"]
  const taken = (name: string): [string, string][] => {
    const value = env[name]
    if (value === undefined) return []
    return [[name, value !== "" && places.includes(name) ? resolve(value) : value]]
  }
  return Object.fromEntries([...names, ...engine, ...places].flatMap(taken))
}

function failure(report: Extract<KeeperReport, { event: "failed" }>): BottleError {
  const exits = { 2: "usage", 3: "badManifest", 4: "missingPart", 8: "integrity", 130: "cancelled" } as const
  const exit = exits[report.exitCode as keyof typeof exits] ?? "failed"
  return new BottleError(report.message, {
    code: report.code,
    exit,
    ...(report.hint === undefined ? {} : { hint: report.hint }),
    cause: report.probes,
  })
}

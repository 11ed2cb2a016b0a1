import { parseArgs } from "node:util"
import { BottleError, ExitCode } from "../../lib/errors.ts"
import { type FileLock, forbidCoreFiles } from "../../lib/kernel.ts"
import { createPaths, type Paths } from "../../lib/paths.ts"
import { isSlug } from "../../lib/slug.ts"
import { writeAll } from "../../lib/stdio.ts"
import { writeLastWords } from "./ending/last-words.ts"
import { launchBottle } from "./launch.ts"
import { listenToOrderer } from "./orderer.ts"
import { ownBottle } from "./own.ts"
import { keeperSocket } from "./place.ts"
import type { KeeperOrder, KeeperReport } from "./protocol.ts"
import { serveClients } from "./server.ts"
import { takeOver } from "./take-over.ts"
import { recordKeeper } from "./whereabouts.ts"

/**
 * `bottle keep <slug>`: with an order on stdin it launches a bottle; with `--adopt` it takes over one whose keeper
 * died. Started by a command of ours, in a session of its own, so that it outlives the terminal.
 */
export async function runKeeper(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { adopt: { type: "boolean" } },
    allowPositionals: true,
  })
  const slug = positionals[0] ?? ""
  if (!isSlug(slug)) throw new BottleError("keep: not a slug", { code: "usage", exit: "usage" })
  const paths = createPaths(process.env)
  standAlone((error) => writeLastWords(paths.logs, slug, error))
  if (values.adopt) return adopt(paths, slug)
  // The order holds secrets.
  forbidCoreFiles()
  // A keeper is started before it is known to be needed; one that gets no order has made nothing.
  const orderer = listenToOrderer()
  const line = await orderer.order.catch(() => process.exit(0))
  const order = JSON.parse(line) as KeeperOrder
  if (order.plan.slug !== slug) throw new Error("the order names another slug")
  await launchBottle(paths, order, orderer, report)
}

function report(line: KeeperReport): void {
  try {
    writeAll(1, `${JSON.stringify(line)}\n`)
  } catch {
    // Whoever started it may be gone and read nothing more.
  }
}

/**
 * The terminal's signals are for the client; a keeper ends by settling. What nobody planned is written down and does
 * not leave a bottle without its keeper.
 */
function standAlone(complain: (error: unknown) => void): void {
  for (const signal of ["SIGINT", "SIGHUP", "SIGQUIT", "SIGPIPE"] as const) process.on(signal, () => undefined)
  for (const event of ["uncaughtException", "unhandledRejection"] as const) process.on(event, complain)
}

function tryToOwn(stateDir: string, refused: (why: BottleError) => never): FileLock | undefined {
  try {
    return ownBottle(stateDir)
  } catch (error) {
    if (error instanceof BottleError) return refused(error)
    throw error
  }
}

async function adopt(paths: Paths, slug: string): Promise<void> {
  const end = (code: string, message: string, hint?: string): never => {
    report({ event: "failed", code, message, ...(hint === undefined ? {} : { hint }), exitCode: ExitCode.failed })
    process.exit(1)
  }
  const lock = tryToOwn(paths.state(slug), ({ code, message, hint }) => end(code, message, hint))
  if (lock === undefined) return end("kept", `${slug} has a keeper`)
  const taken = await takeOver(paths, slug, () => process.exit(0)).catch((error: unknown) => {
    // Whoever asked may show no more of it than the bottle's row.
    writeLastWords(paths.logs, slug, error)
    return end("take-over", error instanceof Error ? error.message : String(error))
  })
  if (taken.kind !== "kept") return end(taken.kind, `${slug} does not run`)
  const { keeper } = taken
  keeper.owns(lock)
  const socket = keeperSocket(paths, slug)
  keeper.serves(await serveClients(socket, keeper))
  recordKeeper(paths.state(slug), socket, "keeping")
  report({ event: "ready", probes: [], milliseconds: 0 })
}

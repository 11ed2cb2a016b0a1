import { connect, type Socket } from "node:net"
import { BottleError } from "../lib/errors.ts"
import { readFirstLine, writeLine } from "../lib/lines.ts"
import type { Paths } from "../lib/paths.ts"
import { safeText } from "../ui/safe-text.ts"
import type { KeeperAnswer, KeeperRequest } from "./keeper/protocol.ts"
import { isKeeperAlive, readWhereabouts } from "./keeper/whereabouts.ts"
import { adoptBottle } from "./start-keeper.ts"
import { StateDir } from "./state.ts"

/** How long a keeper that is just starting, or one that another command started, may take until it listens, in ms. */
const patience = 5_000

/** Longest wait for an answer that a keeper gives at once, in ms. */
const answerPatience = 5_000

/** Ask a bottle's keeper one thing. Throws `BottleError` with its reason. Only `stop` and `freeze` may take their time. */
export async function askKeeper(
  paths: Paths,
  slug: string,
  request: KeeperRequest,
): Promise<KeeperAnswer & { ok: true }> {
  const socket = await reachKeeper(paths, slug)
  try {
    return await sendRequest(socket, request, slug)
  } finally {
    socket.destroy()
  }
}

/** Open a session; its frames follow on the returned socket. */
export async function openSession(
  paths: Paths,
  slug: string,
  request: Extract<KeeperRequest, { op: "attach" | "exec" | "forward" }>,
): Promise<Socket> {
  const socket = await reachKeeper(paths, slug)
  await sendRequest(socket, request, slug)
  return socket
}

/** Requests whose answer takes as long as it takes. */
const patient: ReadonlySet<KeeperRequest["op"]> = new Set(["stop", "freeze", "decide", "edit", "undo"])

async function sendRequest(socket: Socket, request: KeeperRequest, slug: string): Promise<KeeperAnswer & { ok: true }> {
  writeLine(socket, request)
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    if (!patient.has(request.op)) timer = setTimeout(() => reject(silent(slug)), answerPatience)
  })
  const line = await Promise.race([readFirstLine(socket), late]).catch((error: unknown) => {
    if (error instanceof BottleError) throw error
    throw new BottleError("the bottle's keeper ended before it answered", {
      code: "keeper",
      exit: "failed",
      hint: "what became of the bottle: bottle list",
      cause: error,
    })
  })
  clearTimeout(timer)
  const answer = JSON.parse(line) as KeeperAnswer
  if (answer.ok) return answer
  throw new BottleError(answer.error, {
    code: answer.code,
    exit: "failed",
    ...(answer.hint === undefined ? {} : { hint: answer.hint }),
  })
}

/** Is this bottle at rest, with state and nobody who keeps it? One whose keeper was killed is not: it needs another. */
export function isAtRest(state: StateDir): boolean {
  return state.rest !== undefined && readWhereabouts(state.path) === undefined
}

/**
 * A connection to a bottle's keeper. One that was killed is started again first, and takes over what lives or
 * finishes what was begun (BEHAVIOUR 4). Throws `BottleError`: exit 5 for a slug without state, exit 1 when the bottle
 * does not run.
 */
async function reachKeeper(paths: Paths, slug: string): Promise<Socket> {
  const state = new StateDir(paths.state(slug))
  const limit = performance.now() + patience
  for (let wait = 5; ; wait = Math.min(wait * 2, 100)) {
    if (!state.exists) throw unknownSlug(slug)
    if (isAtRest(state)) throw notRunning(slug)
    const where = readWhereabouts(state.path)
    if (where === undefined || !isKeeperAlive(where)) await startKeeper(slug)
    else {
      const socket = await connectTo(where.socket)
      if (socket !== undefined) return socket
    }
    if (performance.now() > limit) throw silent(slug)
    await Bun.sleep(wait)
  }
}

/** Resolves also when there is nothing to keep any more, or somebody else was faster: the next look tells. */
async function startKeeper(slug: string): Promise<void> {
  try {
    await adoptBottle(slug)
  } catch (error) {
    if (!(error instanceof BottleError) || !["kept", "rest", "gone"].includes(error.code)) throw error
  }
}

/** Undefined: nobody listens there, yet or any more. */
function connectTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once("connect", () => resolve(socket))
    socket.once("error", () => resolve(undefined))
  })
}

export function unknownSlug(slug: string): BottleError {
  return new BottleError(`no bottle "${safeText(slug, 40)}"`, {
    code: "unknown-bottle",
    exit: "notFound",
    hint: "running and kept bottles: bottle list",
  })
}

function notRunning(slug: string): BottleError {
  return new BottleError(`${slug} is not running`, {
    code: "not-running",
    exit: "failed",
    hint: `bottle resume ${slug}, or bottle destroy ${slug}`,
  })
}

function silent(slug: string): BottleError {
  return new BottleError(`the keeper of ${slug} does not answer`, {
    code: "keeper",
    exit: "failed",
    hint: `bottle destroy ${slug} ends it and everything it left`,
  })
}

import type { ApiReport } from "../api/wire.ts"
import type { BottleRow, FreezeResult } from "../api.ts"
import type { StartWish } from "../bottle/plan-types.ts"
import { BottleError, ExitCode } from "../lib/errors.ts"
import { type ByteSink, writeAll } from "../lib/stdio.ts"
import { type ApiRequest, parseApiRequest } from "./_api-request.ts"
import { createShell, type Shell } from "./_shell.ts"

/**
 * `bottle api`: the other half of `src/api.ts`. One request as a line on stdin, reports as lines on stdout. Whoever
 * asked holds our stdin open; when it closes nobody waits, and this process ends, which cuts its session.
 */
export async function runApi(): Promise<void> {
  const line = await readRequest()
  try {
    const request = parseApiRequest(line)
    report({ event: "done", value: await carryOut(request, createShell(process, [], [])) })
    process.exit(ExitCode.ok)
  } catch (error) {
    report(await failed(error))
    process.exit(ExitCode.failed)
  }
}

async function carryOut(request: ApiRequest, shell: Shell): Promise<unknown> {
  switch (request.op) {
    case "start":
      return start(request, { ...shell, cwd: request.cwd })
    case "resume":
      return resume(request, shell)
    case "freeze":
      return freezeBottle(request.slug, shell)
    case "destroy":
      return destroy(request.slug, shell)
    case "list":
      return (await import("../bottle/registry.ts")).listActive(shell.paths) satisfies Promise<readonly BottleRow[]>
  }
}

async function start(request: Extract<ApiRequest, { op: "start" }>, shell: Shell): Promise<string> {
  refuseForge(request.forgeEnv)
  const { agent, prompt, bottles = [], label, color, copyCwd = false, cwd, argv = [] } = request
  const { backend } = request
  const wish: StartWish = {
    ...{ agent, prompt, bottles, label, color, backend, copyCwd, cwd, argv },
    ...{ headless: true, discard: false, keep: true },
  }
  const { prepareStart, slugFor } = await import("../bottle/start.ts")
  const { startDeps } = await import("./_start-deps.ts")
  const deps = await startDeps(shell)
  const slug = slugFor(wish)
  const prepared = await prepareStart(wish, deps, slug)
  return runToEnd(prepared, deps, slug, false, request.output, shell)
}

async function resume(request: Extract<ApiRequest, { op: "resume" }>, shell: Shell): Promise<string> {
  refuseForge(request.forgeEnv)
  const { checkSlug } = await import("./_slug.ts")
  const slug = checkSlug(request.slug)
  const { prepareStart, wishOfKept } = await import("../bottle/start.ts")
  const { assertNotRunning } = await import("../bottle/stop.ts")
  const { refuseChanged } = await import("../bottle/trust.ts")
  const { StateDir } = await import("../bottle/state.ts")
  const { startDeps } = await import("./_start-deps.ts")
  const kept = wishOfKept(shell.paths, slug, { headless: true, prompt: request.prompt, keep: true })
  const wish = { ...kept, backend: request.backend ?? kept.backend }
  const deps = await startDeps({ ...shell, cwd: wish.cwd })
  const prepared = await prepareStart(wish, deps, slug, true)
  await assertNotRunning(shell.paths, slug)
  await refuseChanged(new StateDir(shell.paths.state(slug)).plan(), prepared.spec.agent?.origin, shell.paths)
  return runToEnd(prepared, deps, slug, true, request.output, shell)
}

type Prepared = Awaited<ReturnType<typeof import("../bottle/start.ts").prepareStart>>
type Deps = Parameters<typeof import("../bottle/start.ts").launch>[1]

/** Launch, carry the agent's output, wait for its end. Throws with the agent's exit code when that is not 0. */
async function runToEnd(prepared: Prepared, deps: Deps, slug: string, again: boolean, output: boolean, shell: Shell) {
  const { launch } = await import("../bottle/start.ts")
  const { spawnKeeper } = await import("../bottle/start-keeper.ts")
  const { openSession } = await import("../bottle/client.ts")
  const { relaySession } = await import("../bottle/relay.ts")
  await launch(prepared, deps, spawnKeeper(slug), () => undefined, again)
  const socket = await openSession(shell.paths, slug, { op: "attach", pty: null, term: "dumb", stdin: false })
  const sink = (stream: "stdout" | "stderr") => (output ? outputSink(stream) : nowhere)
  const ends = { input: undefined, raw: false, output: sink("stdout"), errors: sink("stderr") }
  const { exitCode } = await relaySession(socket, ends)
  if (exitCode === 0) return slug
  if (exitCode === undefined) {
    const hint = `what became of it: bottle list; its logs: bottle logs ${slug}`
    throw new BottleError(`the connection to ${slug} ended before its agent did`, {
      ...{ code: "session-lost", exit: "failed", hint, slug },
    })
  }
  const hint = `go on: bottle resume ${slug}; drop: bottle destroy ${slug}`
  throw new BottleError(`the agent exited with ${exitCode}`, { code: "agent-exit", exit: exitCode, hint, slug })
}

async function freezeBottle(slug: string, shell: Shell): Promise<FreezeResult> {
  const { freeze } = await import("../bottle/freeze.ts")
  const frozen = await freeze(shell.paths, slug)
  if (frozen === undefined) return { changed: false }
  const { bytes, members, left } = frozen
  return { changed: true, bytes, members, left }
}

async function destroy(slug: string, shell: Shell): Promise<null> {
  const { isSlug } = await import("../lib/slug.ts")
  const { destroyBottle } = await import("../bottle/stop.ts")
  if (!isSlug(slug)) return null
  await destroyBottle(shell.paths, slug).catch((error: unknown) => {
    if (!(error instanceof BottleError && error.code === "unknown-bottle")) throw error
  })
  return null
}

/** A variable that would silently reach nobody is an error (BEHAVIOUR 2). */
function refuseForge(forgeEnv: Readonly<Record<string, string>> | undefined): void {
  if (forgeEnv === undefined || Object.keys(forgeEnv).length === 0) return
  throw new BottleError("forgeEnv: the forge sidecar is not in this build", {
    code: "unbuilt",
    exit: "badManifest",
    hint: "leave forgeEnv out: nothing would read it",
  })
}

const nowhere: ByteSink = { write: () => undefined }

/** Waits where the caller is slow, and throws when it is gone: both are for the session to feel. */
function outputSink(stream: "stdout" | "stderr"): ByteSink {
  return {
    write(bytes) {
      report({ event: "output", stream, data: Buffer.from(bytes).toString("base64") })
      return undefined
    },
  }
}

function report(line: ApiReport): void {
  writeAll(1, `${JSON.stringify(line)}\n`)
}

/** Only the agent's own exit code passes; whatever else went wrong is 1 (BEHAVIOUR 11). */
async function failed(error: unknown): Promise<ApiReport> {
  const { describeFailure } = await import("./_failure.ts")
  const { createPaths } = await import("../lib/paths.ts")
  const { code, message, hint } = describeFailure(error, createPaths(process.env).logs, "api")
  const known = error instanceof BottleError ? error : undefined
  return {
    ...{ event: "failed", code, message },
    exitCode: code === "agent-exit" && known !== undefined ? known.exitCode : ExitCode.failed,
    ...(hint === undefined ? {} : { hint }),
    ...(known?.slug === undefined ? {} : { slug: known.slug }),
  }
}

/** The first line of stdin. Its end, then or later, ends this process. */
async function readRequest(): Promise<string> {
  const { listenToOrderer } = await import("../bottle/keeper/orderer.ts")
  const caller = listenToOrderer()
  caller.onGone(() => process.exit(ExitCode.failed))
  return caller.order
}

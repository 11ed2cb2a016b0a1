import type Dockerode from "dockerode"
import { BottleError } from "../../lib/errors.ts"
import type { Endpoint } from "./endpoint.ts"

export type Engine = Dockerode

/** Variables that the library reads by itself, whatever it is told. */
const libraryReads = [
  "DOCKER_HOST",
  "DOCKER_TLS_VERIFY",
  "DOCKER_CERT_PATH",
  "DOCKER_PATH_PREFIX",
  "DOCKER_CLIENT_TIMEOUT",
]

/** A client of the engine. The library is loaded by the first who asks. */
export async function openEngine(endpoint: Endpoint): Promise<Engine> {
  const { default: Docker } = await import("dockerode")
  const options = endpoint.kind === "unix" ? { socketPath: endpoint.path } : await dialled(endpoint)
  return withoutVariables(process.env, libraryReads, () => new Docker(options))
}

/**
 * An engine that is reached by connections of our own. The library is told of a socket, which is never opened: given a
 * host it takes addresses apart in a way that node warns of on stderr.
 */
async function dialled(endpoint: Exclude<Endpoint, { kind: "unix" }>): Promise<Dockerode.DockerOptions> {
  const { agentFor } = await import("./reach/agents.ts")
  const options = { protocol: "http" as const, socketPath: "/", agent: agentFor(endpoint) }
  return options
}

/** Do something that does not wait, while these variables are not there. */
function withoutVariables<T>(env: Record<string, string | undefined>, names: readonly string[], act: () => T): T {
  const before = names.map((name) => [name, env[name]] as const)
  for (const name of names) delete env[name]
  try {
    return act()
  } finally {
    for (const [name, value] of before) if (value !== undefined) env[name] = value
  }
}

/** The status that an engine answered with, or undefined for a failure of another kind. */
export function statusOf(error: unknown): number | undefined {
  const status = typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : undefined
  return typeof status === "number" ? status : undefined
}

/** The value, or undefined when the engine knows no such thing. */
export async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

const unreachable = new Set(["ECONNREFUSED", "ENOENT", "EACCES", "ECONNRESET", "EPIPE", "ENOTFOUND", "ETIMEDOUT"])

/** Whether it failed because the engine cannot be reached at the moment. */
export function isAway(error: unknown): boolean {
  if (error instanceof BottleError) return error.code === "docker-ssh" || error.code === "docker-engine"
  return unreachable.has((error as NodeJS.ErrnoException | null)?.code ?? "")
}

/** Do something with the engine. A connection that fails is a `BottleError` that says which engine it was. */
export async function asking<T>(where: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof BottleError || !isAway(error)) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new BottleError(`the docker engine at ${where} does not answer (${code})`, {
      code: "docker-engine",
      exit: "missingPart",
      hint: "start it; what it holds of the bottle is kept until then",
      cause: error,
    })
  }
}

/** What an engine said, in one line. */
export function engineSaid(error: unknown): string {
  const json = typeof error === "object" && error !== null && "json" in error ? error.json : undefined
  const message = typeof json === "object" && json !== null && "message" in json ? json.message : undefined
  const text = typeof message === "string" ? message : error instanceof Error ? error.message : String(error)
  return text.replace(/\s+/g, " ").slice(0, 300)
}

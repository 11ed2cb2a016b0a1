import { BottleError } from "../../lib/errors.ts"

/** How an engine is reached, and who said so. It is kept in a bottle's record: it holds places, no secrets. */
export type Endpoint =
  | { kind: "unix"; path: string; from: string }
  | { kind: "tcp"; host: string; port: number; tls: TlsFiles | undefined; from: string }
  | {
      kind: "ssh"
      host: string
      user: string | undefined
      port: number | undefined
      path: string | undefined
      from: string
    }

/** PEM files by which an engine over TCP is known, and by which it knows us. */
export interface TlsFiles {
  ca: string | undefined
  cert: string | undefined
  key: string | undefined
}

/** A name or address: it begins with no hyphen, which ssh would read as an option, and holds nothing a shell reads. */
const hostPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$/
const addressPattern = /^\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\]$/
const userPattern = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}$/
/** Of the engine's socket on the other machine, where it becomes a word of a shell's command line. */
const remotePathPattern = /^(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/

/** Take an address apart, as in `DOCKER_HOST`. Throws `BottleError` (exit 4) for one that nothing can be done with. */
export function parseHost(host: string, tls: TlsFiles | undefined, from: string): Endpoint {
  const scheme = /^([a-z]+):\/\//.exec(host)?.[1]
  if (scheme === "unix") return parseUnix(host, from)
  if (scheme === "tcp") return parseTcp(host, tls, from)
  if (scheme === "ssh") return parseSsh(host, from)
  throw badHost(host, from, "is no address of an engine that can be reached")
}

function parseUnix(host: string, from: string): Endpoint {
  const path = host.slice("unix://".length)
  if (!path.startsWith("/") || /\p{Cc}/u.test(path)) throw badHost(host, from, "names no absolute path")
  return { kind: "unix", path, from }
}

function parseTcp(host: string, tls: TlsFiles | undefined, from: string): Endpoint {
  const parts = /^tcp:\/\/([^/:@[\]]+|\[[^\]]*\])(?::(\d{1,5}))?\/?$/.exec(host)
  const name = parts?.[1] ?? ""
  if (!isHost(name)) throw badHost(host, from, "is not tcp://HOST:PORT")
  const port = portOf(parts?.[2], host, from) ?? (tls === undefined ? 2375 : 2376)
  return { kind: "tcp", host: bare(name), port, tls, from }
}

function parseSsh(host: string, from: string): Endpoint {
  const parts = /^ssh:\/\/(?:([^@/]*)@)?([^/:@[\]]+|\[[^\]]*\])(?::(\d{1,5}))?(\/.*)?$/.exec(host)
  const [, user, name = "", port, path = "/"] = parts ?? []
  if (!isHost(name)) throw badHost(host, from, "is not ssh://USER@HOST:PORT")
  if (user?.includes(":")) throw badHost(host.replace(user, "…"), from, "holds a password; ssh takes a key")
  if (user !== undefined && !userPattern.test(user)) throw badHost(host, from, "names no user that ssh would take")
  if (path !== "/" && !remotePathPattern.test(path)) throw badHost(host, from, "names no plain path of a socket")
  return {
    kind: "ssh",
    host: bare(name),
    user,
    port: portOf(port, host, from),
    path: path === "/" ? undefined : path,
    from,
  }
}

const isHost = (name: string): boolean => hostPattern.test(name) || addressPattern.test(name)
const bare = (name: string): string => name.replace(/^\[|\]$/g, "")

function portOf(text: string | undefined, host: string, from: string): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (port > 0 && port < 65_536) return port
  throw badHost(host, from, "names a port that cannot be")
}

function badHost(host: string, from: string, why: string): BottleError {
  return new BottleError(`${from}: ${JSON.stringify(host.slice(0, 200))} ${why}`, {
    code: "docker-endpoint",
    exit: "missingPart",
    hint: "unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST",
  })
}

/** The endpoint in words. */
export function describeEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return endpoint.path
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host
  if (endpoint.kind === "tcp") return `${host}:${endpoint.port}`
  const user = endpoint.user === undefined ? "" : `${endpoint.user}@`
  const port = endpoint.port === undefined ? "" : `:${endpoint.port}`
  return `ssh://${user}${host}${port}${endpoint.path ?? ""}`
}

/** The address as it is written in `DOCKER_HOST`: what `parseHost` takes apart again. */
export function writeHost(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return `unix://${endpoint.path}`
  return endpoint.kind === "tcp" ? `tcp://${describeEndpoint(endpoint)}` : describeEndpoint(endpoint)
}

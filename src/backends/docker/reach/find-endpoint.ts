import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { BottleError } from "../../../lib/errors.ts"
import { type Endpoint, parseHost, type TlsFiles } from "../endpoint.ts"

type Environment = Readonly<Record<string, string | undefined>>
type Read = (path: string) => string

/** TLS by the authorities that this machine trusts anyway. */
const systemAuthorities: TlsFiles = { ca: undefined, cert: undefined, key: undefined }
const contextPattern = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,200}$/

/**
 * Where the engine is, as the docker command finds it: `DOCKER_HOST`, the chosen context, the system's socket. Throws
 * `BottleError` (exit 4) for a context that is not there or is damaged: a bottle is never started on another engine
 * than the one that was meant.
 */
export function findEndpoint(env: Environment, read: Read = (path) => readFileSync(path, "utf8")): Endpoint {
  const config = resolve(env.DOCKER_CONFIG || join(env.HOME || "/", ".docker"))
  if (env.DOCKER_HOST) {
    const isTls = env.DOCKER_TLS_VERIFY || env.DOCKER_TLS
    const tls = isTls ? (tlsIn(resolve(env.DOCKER_CERT_PATH || config), read) ?? systemAuthorities) : undefined
    return parseHost(env.DOCKER_HOST, tls, "DOCKER_HOST")
  }
  const name = env.DOCKER_CONTEXT || currentContext(config, read)
  if (name === undefined || name === "default")
    return parseHost("unix:///var/run/docker.sock", undefined, "the default")
  return contextEndpoint(name, config, read)
}

function currentContext(config: string, read: Read): string | undefined {
  const path = join(config, "config.json")
  const name = field(readJson(path, read) ?? {}, "currentContext")
  if (name === undefined || name === "") return undefined
  if (typeof name === "string") return name
  throw damaged(path, "currentContext is no name")
}

function contextEndpoint(name: string, config: string, read: Read): Endpoint {
  const shown = JSON.stringify(name.slice(0, 100))
  if (!contextPattern.test(name)) throw badContext(`${shown} is no name of a docker context`)
  const id = createHash("sha256").update(name).digest("hex")
  const path = join(config, "contexts", "meta", id, "meta.json")
  const meta = readJson(path, read)
  if (meta === undefined) throw badContext(`there is no docker context ${shown}`)
  const docker = field(field(meta, "Endpoints"), "docker")
  const host = field(docker, "Host")
  if (typeof host !== "string" || host === "") throw badContext(`the docker context ${shown} names no engine`)
  if (field(docker, "SkipTLSVerify") === true) {
    throw badContext(`the docker context ${shown} does not check who the engine is (SkipTLSVerify)`)
  }
  const tls = host.startsWith("tcp:") ? tlsIn(join(config, "contexts", "tls", id, "docker"), read) : undefined
  return parseHost(host, tls, `the context ${name}`)
}

/** The files that are there; undefined: none is, which in a context means no TLS, as the docker command has it. */
function tlsIn(dir: string, read: Read): TlsFiles | undefined {
  const there = (name: string) => {
    const path = join(dir, name)
    return readOr(path, read) === undefined ? undefined : path
  }
  const [ca, cert, key] = [there("ca.pem"), there("cert.pem"), there("key.pem")]
  if (ca === undefined && cert === undefined && key === undefined) return undefined
  if ((cert === undefined) !== (key === undefined)) throw damaged(dir, "cert.pem and key.pem go together")
  return { ca, cert, key }
}

/** Undefined: there is no such file. */
function readJson(path: string, read: Read): unknown {
  const text = readOr(path, read)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value
  } catch {
    // The parser's words quote the file.
  }
  throw damaged(path, "it is not a JSON object")
}

function readOr(path: string, read: Read): string | undefined {
  try {
    return read(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable"
    if (code === "ENOENT" || code === "ENOTDIR") return undefined
    throw damaged(path, `it cannot be read (${code})`)
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}

function damaged(path: string, why: string): BottleError {
  return new BottleError(`${path}: ${why}`, {
    code: "docker-endpoint",
    exit: "missingPart",
    hint: "mend it, or name the engine in DOCKER_HOST",
  })
}

function badContext(message: string): BottleError {
  return new BottleError(message, {
    code: "docker-endpoint",
    exit: "missingPart",
    hint: "docker context ls shows those there are; DOCKER_HOST names an engine directly",
  })
}

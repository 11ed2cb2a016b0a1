import { isAbsolute, join, normalize } from "node:path"
import type { WrittenBind } from "../schema/bottle.ts"
import { protectedPlaces, reservedTargets } from "./protected-places.ts"
import type { Parsed } from "./sizes.ts"

/** The little of the file system that binds are judged by. */
export interface BindHost {
  /** The path with every symbolic link resolved, or undefined when nothing is there. */
  realpath(path: string): string | undefined
  kind(path: string): "file" | "directory" | "socket" | "other" | undefined
  /** Names in a directory, without following anything. */
  list(path: string): readonly string[]
}

export interface BindContext {
  userHome: string
  bottleHome: string
  host: BindHost
}

export interface Bind {
  /** Links resolved: what was judged is what is mounted. */
  source: string
  target: string
  readonly: boolean
}

const sharedTemporary = ["/tmp", "/var/tmp", "/private/tmp"]

/** A directory with more entries is not looked through for sockets. */
const maxListed = 5000

/**
 * Judge one entry of `namespace.binds` (SECURITY 5): `/path[:/target][:ro|rw]` or its long form. Refused, also by way of
 * a link: what is not there, sockets and directories that hold one, the home directory, bottle's own files, credential
 * stores, system places, and everything that contains one of them.
 */
export function judgeBind(written: WrittenBind, context: BindContext): Parsed<Bind> {
  const form = typeof written === "string" ? readShortForm(written) : { kind: "value" as const, value: written }
  if (form.kind === "bad") return form
  const { source: given, target: wanted, readonly = true } = form.value
  const source = expandHome(given, context.userHome)
  if (!isCleanPath(source)) return bad("source: expected an absolute path without .. or ~/…")
  const target = normalize(wanted ?? source).replace(/(.)\/+$/, "$1")
  if (!isCleanPath(wanted ?? source)) return bad("target: expected an absolute path without ..")
  if (target === "/" || reservedTargets.some((place) => isWithin(target, place))) {
    return bad(`target: ${target} is the bottle's own`)
  }
  const real = context.host.realpath(source)
  if (real === undefined) return bad("source: nothing is there")
  const why = refuseSource(real, context)
  return why === undefined ? { kind: "value", value: { source: real, target, readonly } } : bad(`source: ${why}`)
}

function readShortForm(text: string): Parsed<{ source: string; target?: string; readonly?: boolean }> {
  const parts = text.split(":")
  const last = parts.at(-1)
  const mode = parts.length > 1 && (last === "ro" || last === "rw") ? parts.pop() : undefined
  const [source = "", target, ...rest] = parts
  if (rest.length > 0 || target === "") return bad("expected /path, /path:/target, and :ro or :rw at the end")
  return {
    kind: "value",
    value: {
      source,
      ...(target === undefined ? {} : { target }),
      ...(mode === undefined ? {} : { readonly: mode === "ro" }),
    },
  }
}

function refuseSource(real: string, { userHome, bottleHome, host }: BindContext): string | undefined {
  const home = host.realpath(userHome) ?? userHome
  if (real === "/") return "the whole file system cannot be bound"
  if (sharedTemporary.includes(real)) return "other programs keep their sockets there: name a directory in it"
  if (isWithin(home, real))
    return real === home ? "the home directory itself cannot be bound" : "it contains the home directory"
  // A list made for each spelling of the home, so that a link inside it is caught by both names.
  for (const { path, why } of [...protectedPlaces(userHome, bottleHome), ...protectedPlaces(home, bottleHome)]) {
    const place = host.realpath(path)
    if (isWithin(real, path) || (place !== undefined && isWithin(real, place))) return why
    if (place !== undefined && (isWithin(place, real) || isWithin(path, real)))
      return `it contains a protected place: ${why}`
  }
  const kind = host.kind(real)
  if (kind === "socket") return "a socket cannot be bound"
  if (kind !== "file" && kind !== "directory") return "only a file or a directory can be bound"
  return kind === "directory" ? refuseSockets(real, host) : undefined
}

function refuseSockets(directory: string, host: BindHost): string | undefined {
  const names = host.list(directory)
  if (names.length > maxListed) return undefined
  const socket = names.find((name) => host.kind(join(directory, name)) === "socket")
  return socket === undefined ? undefined : `it holds a socket: ${socket}`
}

function expandHome(path: string, userHome: string): string {
  return path.startsWith("~/") ? join(userHome, path.slice(2)) : path
}

function isCleanPath(path: string): boolean {
  return isAbsolute(path) && !/\p{Cc}/u.test(path) && !path.split("/").includes("..")
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(place === "/" ? "/" : `${place}/`)
}

function bad(why: string): { kind: "bad"; why: string } {
  return { kind: "bad", why }
}

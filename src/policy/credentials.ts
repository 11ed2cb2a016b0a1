import { Buffer } from "node:buffer"
import { BottleError } from "../lib/errors.ts"
import {
  credentialHeaderEnding,
  credentialHeaders,
  credentialParameters,
  overrideHeaderStart,
  overrideHeaders,
  overrideParameters,
} from "./credential-names.ts"
import type { Route, RouteAuth } from "./types.ts"

export type Headers = readonly (readonly [name: string, value: string])[]

const standardHeader = "Authorization"

type Keeping = Pick<Route, "auth" | "keep_headers">

/**
 * Takes out of the agent's headers what may not go upstream: method and URL overrides and `Proxy-Authorization` always;
 * on a route with `auth` every known credential header that the route does not keep, and always the one that carries
 * the operator's. `removed` holds names only.
 */
export function stripHeaders(headers: Headers, route: Keeping | undefined): { headers: Headers; removed: string[] } {
  const removed: string[] = []
  const kept = keptNames(route, headerKey)
  const injected = route?.auth === undefined ? undefined : headerKey(ownHeaderOf(route.auth) ?? standardHeader)
  const left = headers.filter(([name]) => {
    const key = headerKey(name)
    const out =
      isOverrideHeader(key) ||
      key === "proxy-authorization" ||
      (injected !== undefined && (key === injected || (isCredentialHeader(key) && !kept.has(key))))
    if (out) removed.push(name)
    return !out
  })
  return { headers: left, removed }
}

/**
 * The same for a query: method overrides always, credential parameters on a route with `auth` unless kept. What stays
 * keeps its bytes and order. Names are read as lenient servers do: decoded, in any case, `;` separating too,
 * `token[]` as `token`.
 */
export function stripQuery(query: string, route: Keeping | undefined): { query: string; removed: string[] } {
  if (query === "") return { query, removed: [] }
  const removed: string[] = []
  const kept = keptNames(route, parameterKey)
  let left = ""
  for (const [piece, text] of piecesOf(query)) {
    const name = nameOf(text)
    const key = parameterKey(name)
    const credential = route?.auth !== undefined && credentialParameters.has(key) && !kept.has(key)
    if (credential || isOverrideParameter(name, key)) removed.push(name)
    else left += left === "" ? text : piece
  }
  return { query: removed.length === 0 ? query : left, removed }
}

/**
 * The header that carries a secret. `Basic`: a secret that holds a colon is `user:password` and is encoded, one without
 * is sent as it is (already encoded). `header:<Name>`: the secret alone. Throws a `BottleError` that does not hold the
 * secret when it cannot be sent in a header.
 */
export function authHeader(auth: RouteAuth, secret: string): readonly [name: string, value: string] {
  if (secret === "" || /[^\x20-\x7e\x80-\xff]/.test(secret)) {
    throw new BottleError("a credential is empty or holds a line break or another character no header may hold", {
      code: "bad-secret",
      exit: "badManifest",
      hint: "look at how the secret is stored: a line break at its end is the usual cause",
    })
  }
  const own = ownHeaderOf(auth)
  if (own !== undefined) return [own, secret]
  const name = standardHeader
  const scheme = auth.scheme.toLowerCase()
  if (scheme === "bearer") return [name, `Bearer ${secret}`]
  if (scheme === "token") return [name, `token ${secret}`]
  if (scheme === "basic")
    return [name, `Basic ${secret.includes(":") ? Buffer.from(secret).toString("base64") : secret}`]
  throw new BottleError("a route's auth scheme is not Bearer, token, Basic or header:<Name>", {
    code: "bad-auth-scheme",
    exit: "badManifest",
  })
}

/** The name in `header:<Name>`. */
function ownHeaderOf(auth: RouteAuth): string | undefined {
  return /^header:\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/i.exec(auth.scheme)?.[1]
}

function isCredentialHeader(key: string): boolean {
  return credentialHeaders.has(key) || credentialHeaderEnding.test(key)
}

function isOverrideHeader(key: string): boolean {
  return overrideHeaders.has(key) || overrideHeaderStart.test(key)
}

/** `_method` and `$httpMethod` override; a plain `method` is an ordinary parameter of many interfaces. */
function isOverrideParameter(name: string, key: string): boolean {
  return overrideParameters.has(key) && (key.startsWith("x") || /^[_$]/.test(name))
}

function keptNames(route: Keeping | undefined, keyOf: (name: string) => string): ReadonlySet<string> {
  return new Set(route?.keep_headers?.map(keyOf))
}

function headerKey(name: string): string {
  return name.toLowerCase().replaceAll("_", "-")
}

function parameterKey(name: string): string {
  return name.toLowerCase().replace(/[-_.$]/g, "")
}

function* piecesOf(query: string): Generator<readonly [piece: string, text: string]> {
  for (const match of query.matchAll(/[&;]?([^&;]*)/g)) {
    if (match[0] !== "") yield [match[0], match[1] ?? ""]
  }
}

function nameOf(text: string): string {
  const raw = (text.split("=", 1)[0] ?? "").replaceAll("+", " ")
  const decoded = raw.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return (decoded.split("[", 1)[0] ?? "").trim()
}

import type { EgressPolicy, Route } from "../../../src/policy/types.ts"

/** Where a request goes, and how the connection to it is made. Equal keys may share a connection. */
export interface Target {
  scheme: "https" | "http"
  /** Canonical host of the request: the name in TLS and Host. */
  host: string
  port: number
  /** What to dial instead of host and port. */
  connectTo: { host: string; port: number } | undefined
  /** PEM of one more authority. */
  ca: string | undefined
  allowPrivate: boolean
  proxy: { host: string; port: number; authorization: string | undefined } | undefined
  key: string
}

/** The targets of one policy; what its routes and its proxy say is read once. */
export interface Targets {
  /** The target of a request that a route, or without one an allowlist line, lets through. */
  of(request: { scheme: "https" | "http"; host: string; port: number }, route: Route | undefined): Target
}

/** Read where a policy's connections go. Throws on a `connect_to` or `upstream_proxy` that cannot be read. */
export function createTargets(policy: EgressPolicy): Targets {
  const proxy = policy.upstream_proxy === undefined ? undefined : parseProxy(policy.upstream_proxy)
  const targets = new Map<string, Target>()
  for (const route of policy.routes) if (route.connect_to !== undefined) splitHostPort(route.connect_to, route.port)
  return {
    of({ scheme, host, port }, route) {
      const index = route === undefined ? -1 : policy.routes.indexOf(route)
      const place = `${index} ${scheme} ${host} ${port}`
      const known = targets.get(place)
      if (known !== undefined) return known
      const connectTo = route?.connect_to === undefined ? undefined : splitHostPort(route.connect_to, port)
      const allowPrivate = route?.allow_private === true
      const ca = route?.ca
      const key = JSON.stringify([scheme, host, port, connectTo, allowPrivate, proxy, ca])
      const target = { scheme, host, port, connectTo, ca, allowPrivate, proxy, key }
      // Wildcard routes have as many targets as an agent thinks of names.
      if (targets.size >= 1024) targets.clear()
      targets.set(place, target)
      return target
    },
  }
}

/** `name`, `address`, `name:port`, `1.2.3.4:port`, `[v6]` or `[v6]:port`. What is malformed throws. */
export function splitHostPort(text: string, defaultPort: number): { host: string; port: number } {
  if (/^[0-9a-f:.]+$/i.test(text) && text.split(":").length > 2) return { host: text, port: defaultPort }
  const match = /^(?:\[([0-9a-f:.]+)\]|([^[\]:\s/@]+))(?::(\d{1,5}))?$/i.exec(text)
  if (match === null) throw new Error(`not a host and port: ${text}`)
  const port = match[3] === undefined ? defaultPort : Number(match[3])
  if (port < 1 || port > 65535) throw new Error(`not a port: ${port}`)
  return { host: match[1] ?? match[2] ?? "", port }
}

function parseProxy(text: string): NonNullable<Target["proxy"]> {
  const url = new URL(text)
  if (url.protocol !== "http:") throw new Error("upstream_proxy must be http://host:port")
  const user = decodeURIComponent(url.username)
  const credentials = Buffer.from(`${user}:${decodeURIComponent(url.password)}`).toString("base64")
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 80 : Number(url.port),
    authorization: user === "" ? undefined : `Basic ${credentials}`,
  }
}

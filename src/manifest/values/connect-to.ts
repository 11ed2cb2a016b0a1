import { canonicalHost, parseAuthority } from "../../policy/host.ts"
import type { Parsed } from "./sizes.ts"

/** `connect_to`: an address alone, or `host:port` or `address:port`, in one spelling. */
export function parseConnectTo(text: string): Parsed<string> {
  const bare = canonicalHost(text)
  if (bare.kind === "host") {
    if (bare.ip !== undefined) return { kind: "value", value: bare.host }
    return { kind: "bad", why: "expected an address or host:port: a name needs its port" }
  }
  const authority = parseAuthority(text)
  if (authority.kind === "bad") return { kind: "bad", why: `expected an address or host:port: ${authority.why}` }
  return { kind: "value", value: `${authority.host}:${authority.port}` }
}

/** `upstream_proxy`: `http://host:port`, nothing more, in one spelling. */
export function parseUpstreamProxy(text: string): Parsed<string> {
  const match = /^http:\/\/([^/?#]+)\/?$/i.exec(text)
  if (match?.[1] === undefined) return { kind: "bad", why: "expected http://host:port" }
  if (match[1].includes("@")) return { kind: "bad", why: "a user name or password cannot stand here" }
  const authority = parseAuthority(match[1])
  if (authority.kind === "bad") return { kind: "bad", why: `expected http://host:port: ${authority.why}` }
  if (authority.port === undefined) return { kind: "bad", why: "expected http://host:port: the port is missing" }
  return { kind: "value", value: `http://${authority.host}:${authority.port}` }
}

import { type Bad, canonicalHostPattern } from "./host.ts"

/**
 * The host of a route or an allowlist line as an operator or an agent may write it: a host, or `*.` and a host of at
 * least two labels. The value is its one spelling; a refusal says what to write instead.
 */
export function readHostPattern(text: string): { kind: "value"; value: string } | Bad {
  if (text === "*") return { kind: "bad", why: "every host at once cannot be routed" }
  const result = canonicalHostPattern(text)
  if (result.kind === "bad") return { kind: "bad", why: `not a host name: ${result.why}` }
  if (!result.wildcard) return { kind: "value", value: result.host }
  if (!result.host.includes(".")) return { kind: "bad", why: "a wildcard below a top-level domain is too wide" }
  return { kind: "value", value: `*.${result.host}` }
}

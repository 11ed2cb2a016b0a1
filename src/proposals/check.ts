import { checkDockerfile } from "../policy/dockerfile/check.ts"
import { parseDockerfile } from "../policy/dockerfile/parse.ts"
import type { ParsedDockerfile } from "../policy/dockerfile/types.ts"
import { canonicalHost } from "../policy/host.ts"
import type { EgressPolicy, Route } from "../policy/types.ts"
import { knownRoute } from "../policy/widen.ts"
import { type Parsed, parseRoute } from "./route-text.ts"
import { mostProposedFile, type ProposalTool } from "./types.ts"

/** What a proposal means. Foreign text is in none of it but what was parsed. */
export type Meaning =
  | { tool: "egress-block"; route: Route }
  | { tool: "pipelock-block"; host: string; url: string }
  | { tool: "capability-block"; dockerfile: string; parsed: ParsedDockerfile }

export interface CheckContext {
  policy: EgressPolicy
  /** Slots that the bottle's file declares: the only ones a proposal may name (SECURITY 19). */
  slots: readonly string[]
  /** Absent: this bottle's image is not changed by proposals. */
  image?: ImageBounds
}

export interface ImageBounds {
  /** Images that a Dockerfile may start from and copy from (SECURITY 24). */
  bases: readonly string[]
  /** Build arguments. */
  args: Readonly<Record<string, string>>
}

/**
 * What a text of one tool means, by the same rules for an agent's and for an operator's who modified it: form first,
 * then sense. Nothing is looked up, fetched or built (SECURITY 17), and no answer depends on whether a secret exists.
 */
export async function checkProposal(tool: ProposalTool, text: string, context: CheckContext): Promise<Parsed<Meaning>> {
  if (text.length > mostProposedFile) return bad(`longer than ${mostProposedFile} characters`)
  switch (tool) {
    case "egress-block":
      return checkRoute(text, context)
    case "pipelock-block":
      return checkUrl(text, context)
    case "capability-block":
      return checkImage(text, context)
  }
}

function checkImage(text: string, { image }: CheckContext): Parsed<Meaning> {
  if (image === undefined)
    return bad("this bottle's image is not changed by proposals; tell the operator what you need")
  const parsed = parseDockerfile(text, image.args)
  if (parsed.kind === "bad") return bad(`line ${parsed.line}: ${parsed.message}`)
  const checked = checkDockerfile(parsed, image.bases)
  if (checked.kind === "bad") return bad(`line ${checked.line}: ${checked.message}`)
  return { kind: "ok", value: { tool: "capability-block", dockerfile: text, parsed } }
}

async function checkRoute(text: string, { slots }: CheckContext): Promise<Parsed<Meaning>> {
  const parsed = await parseRoute(text)
  if (parsed.kind === "bad") return parsed
  const route = parsed.value
  if (route.auth !== undefined && !slots.includes(route.auth.token_ref)) {
    return bad("auth.token_ref: not a slot of this bottle's file; only the operator can declare one")
  }
  return { kind: "ok", value: { tool: "egress-block", route } }
}

function checkUrl(text: string, { policy }: CheckContext): Parsed<Meaning> {
  const url = text.trim()
  const parts = /^(https?):\/\/(\[[^\]]*\]|[^/?#:@[\]\\]+)(?::(\d{1,5}))?(?:[/?#]|$)/i.exec(url)
  if (parts === null) return bad("failed_url: expected the URL that was refused, such as https://host/path")
  const [, scheme = "", name = "", port] = parts
  const host = canonicalHost(name)
  if (host.kind === "bad") return bad(`failed_url: not a host name: ${host.why}`)
  if (scheme.toLowerCase() !== "https" || (port !== undefined && Number(port) !== 443)) {
    return bad("failed_url: the allowlist opens https on port 443 only; for another place call egress-block")
  }
  if (hasRoute(policy, host.host)) {
    return bad(`${host.host} has a route, which alone decides: call egress-block for what it refuses`)
  }
  return { kind: "ok", value: { tool: "pipelock-block", host: host.host, url } }
}

/** A host with a route is judged by it (SECURITY 12): a line on the allowlist would change nothing. */
function hasRoute(policy: EgressPolicy, host: string): boolean {
  return policy.routes.some((route) =>
    route.host.startsWith("*.") ? host.endsWith(route.host.slice(1)) : route.host === host,
  )
}

/** Whether a proposal asks to tie a credential to a host that has no route yet: the operator types that host. */
export function tiesCredential(policy: EgressPolicy, route: Route): boolean {
  return route.auth !== undefined && knownRoute(policy, route) === undefined
}

const bad = (why: string): { kind: "bad"; why: string } => ({ kind: "bad", why })

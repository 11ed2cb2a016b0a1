import { checkPathRule } from "../../../src/policy/compile.ts"
import { parseDockerfile } from "../../../src/policy/dockerfile/parse.ts"
import { readHostPattern } from "../../../src/policy/host-pattern.ts"
import { printRoute } from "../../../src/policy/route-text.ts"
import type { PathRule, Route, RouteMatch } from "../../../src/policy/types.ts"
import type { ProposalTool } from "../../../src/proposals/types.ts"
import type { SidecarCall, SuperviseSettings } from "../../control.ts"

type Propose = Extract<SidecarCall, { op: "propose" }>
export type Proposed = Propose | { kind: "refused"; message: string }

interface EgressArguments {
  host: string
  path_allowlist?: string[]
  methods?: string[]
  auth?: { scheme: string; token_ref: string }
}

/**
 * A proposal from arguments that fit their schema: what it means is checked here, and put into the one form that the
 * operator is shown and that equal proposals share. The keeper checks again.
 */
export function proposalOf(
  tool: ProposalTool,
  given: Readonly<Record<string, unknown>>,
  image: SuperviseSettings["image"],
): Proposed {
  const justification = String(given.justification)
  const file =
    tool === "egress-block"
      ? routeFile(given as unknown as EgressArguments)
      : tool === "pipelock-block"
        ? urlFile(String(given.failed_url))
        : dockerFile(String(given.dockerfile), image?.args ?? {})
  return "refused" in file
    ? { kind: "refused", message: file.refused }
    : { op: "propose", tool, proposed_file: file.text, justification }
}

type File = { text: string } | { refused: string }

function routeFile({ host, path_allowlist, methods, auth }: EgressArguments): File {
  const why = refuseHost(host, "host")
  if (why !== undefined) return { refused: why }
  const read = readHostPattern(host)
  if (read.kind === "bad") return { refused: `host: ${read.why}.` }
  const paths = path_allowlist?.map((value): PathRule => ({ type: "prefix", value }))
  for (const [index, path] of (paths ?? []).entries()) {
    const wrong = path.value.startsWith("/") ? checkPathRule(path) : "a path begins with /"
    if (wrong !== undefined) return { refused: `path_allowlist[${index}]: ${wrong}.` }
  }
  const verbs = methods?.map((method) => method.toUpperCase())
  const badVerb = verbs?.find((method) => !/^[A-Z][A-Z-]{0,31}$/.test(method) || /^(?:TRACE|CONNECT)$/.test(method))
  if (badVerb !== undefined) return { refused: `methods: ${JSON.stringify(badVerb)} can never be permitted.` }
  const badAuth = auth && refuseAuth(auth, read.value)
  if (badAuth !== undefined) return { refused: badAuth }
  const match: RouteMatch = { ...(paths && { paths: unique(paths) }), ...(verbs && { methods: [...new Set(verbs)] }) }
  const route: Route = {
    ...{ host: read.value, scheme: "https", port: 443 },
    ...(Object.keys(match).length === 0 ? {} : { matches: [match] }),
    ...(auth === undefined ? {} : { auth: { scheme: auth.scheme, token_ref: auth.token_ref } }),
  }
  return { text: printRoute(route) }
}

function unique(paths: readonly PathRule[]): PathRule[] {
  return paths.filter(({ value }, at) => paths.findIndex((other) => other.value === value) === at)
}

/** What is written most often instead of a host. */
function refuseHost(text: string, place: string): string | undefined {
  if (text.includes("://")) return `${place}: give the host alone, without https:// and path.`
  if (text.includes("/")) return `${place}: give the host alone; paths belong in path_allowlist.`
  if (/^[^:[\]]+:\d+$/.test(text)) return `${place}: give the host alone; only the operator can route another port.`
  return undefined
}

function refuseAuth({ scheme, token_ref }: { scheme: string; token_ref: string }, host: string): string | undefined {
  if (!/^(?:Bearer|token|Basic|header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})$/.test(scheme)) {
    return "auth.scheme must be Bearer, token, Basic or header:Name."
  }
  if (!/^[A-Z][A-Z0-9_]*$/.test(token_ref)) {
    return "auth.token_ref must be the name of a credential, such as API_TOKEN, and never the credential itself."
  }
  return host.startsWith("*.") ? "auth: a credential is sent to one host, not to a wildcard." : undefined
}

function urlFile(text: string): File {
  if (/[^\x21-\x7e]/.test(text)) return { refused: "failed_url holds a space or a character that no URL has." }
  const parts = /^(https?):\/\/([^/?#]*)([/?#].*)?$/i.exec(text)
  if (parts === null) return { refused: "failed_url must be an https URL, such as https://docs.example.com/page." }
  const [, scheme = "", authority = "", rest = ""] = parts
  if (scheme.toLowerCase() !== "https") return { refused: "failed_url: the allowlist is for https only." }
  if (authority.includes("@")) return { refused: "failed_url must not hold a user name or password." }
  const host = readHostPattern(authority.replace(/:443$/, ""))
  if (/:\d+$/.test(authority) && !authority.endsWith(":443")) {
    return { refused: "failed_url: an allowlisted host is reached on port 443 only." }
  }
  if (host.kind === "bad") return { refused: `failed_url: ${host.why}.` }
  if (host.value.startsWith("*.")) return { refused: "failed_url must name one host." }
  return { text: `https://${host.value}${rest === "" ? "/" : rest}` }
}

function dockerFile(text: string, args: Readonly<Record<string, string>>): File {
  const parsed = parseDockerfile(text, args)
  return parsed.kind === "bad" ? { refused: `dockerfile, line ${parsed.line}: ${parsed.message}.` } : { text }
}

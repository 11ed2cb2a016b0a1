import { explainOrigin } from "./explain.ts"
import type { Denial, DenyReason } from "./types.ts"

/** What a denial is about. Text from the agent may be given as it came: it is made printable and cut. */
export interface Refused {
  scheme?: "https" | "http"
  host?: string
  port?: number
  method?: string
  path?: string
  /** The detail of the reason, as the end of a sentence: `its port is not a number`. Never a secret or a slot's name. */
  why?: string
}

const maxShown = 200

/**
 * The one place where refusals get their words, for every reason there is. The message says what was refused and why,
 * the remedy what the agent can do; with `supervise` it names the tools with their arguments, without it none.
 */
export function refuse(
  reason: DenyReason,
  about: Refused,
  supervise: boolean,
  gate: Denial["gate"] = "egress",
): Denial {
  const host = show(about.host ?? "the host")
  const what = describeRequest(about)
  const why = about.why === undefined ? "" : `: ${show(about.why)}`
  const [message, remedy] = wordsFor(reason, { about, host, what, why, supervise, gate })
  return { kind: "deny", gate, reason, message, remedy }
}

interface Words {
  about: Refused
  host: string
  what: string
  why: string
  supervise: boolean
  gate: Denial["gate"]
}

function wordsFor(reason: DenyReason, words: Words): [message: string, remedy: string] {
  const { host, what, why } = words
  const resend = "Correct the request and send it again; asking for a route does not help."
  switch (reason) {
    case "unlisted-host":
      return [`${host} has no route and is not on the allowlist${why}.`, remedyForHost(words)]
    case "no-match":
      return [`${what} matches no rule of the route for ${host}${why}.`, remedyForRoute(words)]
    case "wrong-port":
      return [`${what} is on a port that ${host} is not permitted on${why}.`, remedyForPlace(words)]
    case "wrong-scheme":
      return [`${what} has a scheme that ${host} is not permitted with${why}.`, remedyForPlace(words)]
    case "bad-host":
      return [`The request's host was refused${why}.`, resend]
    case "bad-path":
      return [`The request's path was refused${why}.`, `Send the path in its plain form: ${plainForm}.`]
    case "bad-request":
      return [`The request was refused${why}.`, resend]
    case "forbidden-method":
      return [`The method of ${what} is never permitted${why}.`, "Use another method; no route permits this one."]
    case "upgrade":
      return [`${what} asks for a protocol upgrade that its route does not permit${why}.`, remedyForUpgrade(words)]
    case "git-push":
      return [
        `${what} is a git push, which no route lets through${why}.`,
        "Push to the remote that git-gate serves (http://127.0.0.1:9418) when the bottle declares one; otherwise ask the operator to declare the repository under git-gate in the bottle file.",
      ]
    case "private-address":
      return [
        `${host} was not dialled${why}.`,
        "Only public addresses are dialled. Ask the operator to set allow_private on the route if this host is meant.",
      ]
    case "resolve-failed":
      return [`${host} could not be resolved${why}.`, "Check the name. If it is right, try again later."]
    case "secret-missing":
      return [
        `The operator's credential for ${host} is not available.`,
        "Only the operator can supply it. Say so and go on with other work.",
      ]
    case "sni-mismatch":
      return [`The TLS server name is not the host of the CONNECT to ${host}${why}.`, resend]
    case "host-mismatch":
      return [`The Host header is not the host of the connection to ${host}${why}.`, resend]
    case "internal-error":
      return [
        "The request could not be judged, so it was refused.",
        "Try again. If it happens again, tell the operator.",
      ]
  }
}

const plainForm = "no dot segments, no //, no backslash, no double or broken percent escapes"

function remedyForHost(words: Words): string {
  const { about, host, supervise } = words
  if (!supervise) return `Ask the operator to add a route for ${host} to the bottle file.`
  const url = `https://${about.host ?? "HOST"}${plainPath(about) ?? "/"}`
  const whole = JSON.stringify({ failed_url: show(url), justification: "why" })
  return `Call the MCP tool ${egressCall(words)} to ask the operator for a route, or pipelock-block ${whole} for the whole host; repeat the request once it is approved.`
}

function remedyForRoute(words: Words): string {
  const { host, supervise } = words
  if (!supervise) return `Ask the operator to add this method and path to the route for ${host} in the bottle file.`
  return `Call the MCP tool ${egressCall(words)} to ask the operator for this method and path; repeat the request once it is approved.`
}

/** No tool asks for a port or a scheme. */
function remedyForPlace({ host, gate }: Words): string {
  if (gate === "pipelock") {
    return `Use https://${host} on port 443: an allowlisted host has no other. Only the operator can add a route for another to the bottle file.`
  }
  return "Use the scheme and port of its route; only the operator can add a route for this one to the bottle file."
}

/** The tool with the arguments that ask for what was refused and no more. */
function egressCall({ about, host }: Words): string {
  const path = plainPath(about)
  const given = {
    host,
    ...(path === undefined ? {} : { path_allowlist: [path] }),
    ...(about.method === undefined || about.method === "CONNECT" ? {} : { methods: [show(about.method)] }),
    justification: "why",
  }
  return `egress-block ${JSON.stringify(given)}`
}

/** A path that can be shown whole and stands for itself in a rule. */
function plainPath({ path }: Refused): string | undefined {
  return path !== undefined && path.length <= 100 && /^\/[\x21-\x7e]*$/.test(path) ? path : undefined
}

function remedyForUpgrade({ host }: Words): string {
  return `Send the request without Upgrade, or ask the operator to set websocket on the route for ${host} in the bottle file.`
}

function describeRequest(about: Refused): string {
  const { scheme, host, port, path } = about
  const method = about.method === undefined ? "" : `${show(about.method)} `
  if (host === undefined) return `${method}${show(path ?? "the request")}`
  const place = scheme !== undefined && port !== undefined ? explainOrigin({ scheme, host, port }) : join(host, port)
  return `${method}${show(`${place}${path ?? ""}`)}`
}

function join(host: string, port: number | undefined): string {
  return port === undefined ? host : `${host}:${port}`
}

function show(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/gu, (char) => (/[\p{L}\p{N}]/u.test(char) ? char : "?"))
  return printable.length > maxShown ? `${printable.slice(0, maxShown)}...` : printable
}

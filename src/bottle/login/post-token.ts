import { readFileSync } from "node:fs"
import { rootCertificates } from "node:tls"

/** `refused`: the endpoint says that this refresh token is of no use any more. `why` never holds a token. */
export type TokenAnswer =
  | { kind: "answer"; value: unknown }
  | { kind: "refused"; why: string }
  | { kind: "unreachable"; why: string }

const patience = 20_000
const maxAnswer = 256 * 1024
const systemBundle = "/etc/ssl/certs/ca-certificates.crt"

/**
 * Ask a token endpoint, from the host, over TLS that is verified against the runtime's own and the system's authorities,
 * whatever the environment says. `proxy`: the bottle's upstream proxy.
 */
export async function postToken(
  url: string,
  body: Readonly<Record<string, string>>,
  proxy?: string,
): Promise<TokenAnswer> {
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(patience),
      tls: { ca: [...rootCertificates, ...readBundle()], rejectUnauthorized: true },
      ...(proxy === undefined ? {} : { proxy }),
    })
    const text = (await answer.text()).slice(0, maxAnswer)
    if (answer.ok) return { kind: "answer", value: JSON.parse(text) }
    const why = `${new URL(url).host} answered ${answer.status}${reasonIn(text)}`
    // 429 and what a server says of itself pass.
    const forGood = answer.status === 400 || answer.status === 401 || answer.status === 403
    return { kind: forGood ? "refused" : "unreachable", why }
  } catch (error) {
    const code = (error as { code?: unknown } | undefined)?.code
    const name = typeof code === "string" ? code : error instanceof Error ? error.name : "unknown error"
    return { kind: "unreachable", why: `${new URL(url).host} could not be asked (${name})` }
  }
}

/** The endpoint's word for what is wrong, if it is one: nothing else of an answer is repeated. */
function reasonIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown }
    const word = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : error
    return typeof word === "string" && /^[a-z_]{3,40}$/.test(word) ? ` (${word})` : ""
  } catch {
    return ""
  }
}

function readBundle(): string[] {
  try {
    return [readFileSync(systemBundle, "utf8")]
  } catch {
    return []
  }
}

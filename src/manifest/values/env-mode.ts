import type { EnvMode } from "../types.ts"

const hostName = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/

/**
 * How a value under `env` is had: `?` and `?question` are asked, `${NAME}` alone is taken from the host, `$${` at the
 * start is a literal `${`, anything else is a literal.
 */
export function parseEnvMode(text: string): EnvMode {
  if (text.startsWith("?")) return { kind: "ask", question: text.slice(1).trim() }
  const host = hostName.exec(text)?.[1]
  if (host !== undefined) return { kind: "host", name: host }
  return { kind: "literal", value: text.startsWith("$${") ? text.slice(1) : text }
}

/** Names by which programs are told of the proxy and the CA (BEHAVIOUR 6). */
const fenceNames = new Set([
  ..."HTTP_PROXY HTTPS_PROXY ALL_PROXY FTP_PROXY NO_PROXY NODE_USE_ENV_PROXY".split(" "),
  ..."SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE GIT_SSL_CAINFO GIT_SSL_CAPATH REQUESTS_CA_BUNDLE".split(" "),
  ..."NODE_EXTRA_CA_CERTS PIP_CERT CARGO_HTTP_CAINFO AWS_CA_BUNDLE".split(" "),
])
/** Names that turn a program into another one before its first line runs: the guest is started with these too. */
const loaderNames = new Set(["LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "BUN_OPTIONS", "BUN_BE_BUN"])
const placeNames = new Set(["HOME", "USER", "LOGNAME"])

/** Why a bottle's file may not set this variable, or undefined when it may. */
export function refuseEnvName(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return "not a variable name: letters, digits and _ only"
  if (fenceNames.has(name.toUpperCase())) return "the bottle sets this itself, for its proxy and CA"
  if (loaderNames.has(name)) return "this would load code into the bottle's own programs"
  if (placeNames.has(name)) return "the bottle sets this itself, for its user and home"
  if (name.startsWith("BOT_BOTTLE_")) return "names that begin with BOT_BOTTLE_ are the bottle's own"
  return undefined
}

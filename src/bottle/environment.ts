import { inside } from "../../sidecars/guest/protocol.ts"

const proxy = "http://127.0.0.1:9099"
const loopback = "localhost,127.0.0.1,::1"

/** Variables by which one tool or another is told of the proxy or of a CA (BEHAVIOUR 6). Each names the same thing. */
const proxyNames = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
const caNames = [
  "SSL_CERT_FILE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "REQUESTS_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  "PIP_CERT",
  "CARGO_HTTP_CAINFO",
  "AWS_CA_BUNDLE",
]

export interface InsideEnvironment {
  home: string
  user: string
  /** Directories in front of PATH. */
  path: readonly string[]
  git: { name?: string; email?: string }
  /** The provider's, then the operator's: each overrides what stands before it. */
  provider: Readonly<Record<string, string>>
  bottle: Readonly<Record<string, string>>
}

/**
 * The agent's whole environment: nothing of the host's passes. Everything in it is visible to the agent. The
 * proxy and CA names are ours and cannot be overridden: the manifest refuses them.
 */
export function insideEnvironment(want: InsideEnvironment): Record<string, string> {
  return {
    HOME: want.home,
    USER: want.user,
    LOGNAME: want.user,
    SHELL: "/bin/sh",
    LANG: "C.UTF-8",
    PATH: [...want.path, "/usr/local/bin", "/usr/bin", "/bin"].join(":"),
    ...gitIdentity(want.git),
    ...want.provider,
    ...want.bottle,
    ...fenceEnvironment(),
  }
}

/** Names that the fence owns, with their values. */
export function fenceEnvironment(): Record<string, string> {
  const fence: Record<string, string> = {}
  for (const name of proxyNames) {
    fence[name] = proxy
    fence[name.toLowerCase()] = proxy
  }
  fence.NO_PROXY = loopback
  fence.no_proxy = loopback
  for (const name of caNames) fence[name] = inside.ca
  // Node from 24 and undici read the proxy variables only when told to.
  fence.NODE_USE_ENV_PROXY = "1"
  return fence
}

function gitIdentity(user: { name?: string; email?: string }): Record<string, string> {
  return {
    ...(user.name === undefined ? {} : { GIT_AUTHOR_NAME: user.name, GIT_COMMITTER_NAME: user.name }),
    ...(user.email === undefined ? {} : { GIT_AUTHOR_EMAIL: user.email, GIT_COMMITTER_EMAIL: user.email }),
  }
}

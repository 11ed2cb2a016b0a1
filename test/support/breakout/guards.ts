import type { Gate } from "./vector.ts"

/** A guard of egress: where it stands in the product's source, and what stands there when it is taken out. */
export interface Guard {
  file: string
  text: string
  instead: string
  /** Attacks of this gate must leak without it. */
  gate: Gate
}

export const guards: Readonly<Record<string, Guard>> = {
  "the server name of the handshake": {
    file: "sidecars/egress/front/tunnel.ts",
    text: "!isSameHost(name, tunnel.host)",
    instead: "false",
    gate: "egress: TLS name",
  },
  "the Host field": {
    file: "sidecars/egress/exchange/judge.ts",
    text: "if (named.host === place.host && port === place.port) return undefined",
    instead: "if (port > 0) return undefined",
    gate: "egress: TLS name",
  },
  "stripping of credentials": {
    file: "src/policy/credentials.ts",
    text: "return !out",
    instead: "return true",
    gate: "egress: strip",
  },
  redaction: {
    file: "sidecars/egress/exchange/judge.ts",
    text: "const redact = route?.auth !== undefined",
    instead: "const redact = false && route?.auth !== undefined",
    gate: "redaction",
  },
  "refusal of private addresses": {
    file: "sidecars/egress/upstream/resolve.ts",
    text: "if (allowPrivate) return",
    instead: "if (allowPrivate || true) return",
    gate: "egress: address",
  },
  "the end of a line": {
    file: "sidecars/egress/http/head.ts",
    text: "if (end === start || bytes[end - 1] !== 13)",
    instead: "if (end === start)",
    gate: "egress: framing",
  },
  "one reading of a path": {
    file: "src/policy/path.ts",
    text: "export function findAmbiguity(path: string): string | undefined {",
    instead: "export function findAmbiguity(path: string): string | undefined {\n  if (path !== '') return undefined",
    gate: "egress: route",
  },
}

import { createHash } from "node:crypto"
import type { Framing } from "../http/body.ts"
import { listMembers, onlyValue, valuesOf } from "../http/fields.ts"
import type { RequestHead, ResponseHead } from "../http/head.ts"

/** What a request asks the connection to become. `status` is how a refusal is told. */
export type Upgrade =
  | { kind: "none"; status: 403 }
  /** A complete RFC 6455 handshake. */
  | { kind: "websocket"; protocol: string; key: string; status: 426 }
  /** Anything else: h2c, or a handshake that is not whole. */
  | { kind: "other"; protocol: string; status: 403 | 426 }

const keyForm = /^[A-Za-z0-9+/]{22}==$/
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** Read the upgrade of a request. A client that tries WebSocket falls back at once on 426, and slowly on 403. */
export function readUpgrade(head: RequestHead, framing: Framing): Upgrade {
  const wanted = listMembers(head.headers, "upgrade")
  if (wanted.length === 0) {
    return valuesOf(head.headers, "http2-settings").length === 0
      ? { kind: "none", status: 403 }
      : { kind: "other", protocol: "h2c", status: 403 }
  }
  const protocol = wanted.join(", ")
  if (!wanted.includes("websocket")) return { kind: "other", protocol, status: 403 }
  const key = onlyValue(head.headers, "sec-websocket-key")
  const whole =
    wanted.length === 1 &&
    head.method === "GET" &&
    head.minor === 1 &&
    framing.kind === "none" &&
    listMembers(head.headers, "connection").includes("upgrade") &&
    onlyValue(head.headers, "sec-websocket-version") === "13"
  return whole && key !== undefined && keyForm.test(key)
    ? { kind: "websocket", protocol, key, status: 426 }
    : { kind: "other", protocol, status: 426 }
}

/**
 * Whether a 101 is the true answer to a handshake with `key`: only then do both sides stop speaking HTTP. With
 * `plainFrames` it must not have chosen an extension, because none was offered.
 */
export function isAcceptance(head: ResponseHead, key: string, plainFrames: boolean): boolean {
  const accept = createHash("sha1").update(`${key}${guid}`).digest("base64")
  const upgrade = listMembers(head.headers, "upgrade")
  return (
    head.status === 101 &&
    upgrade.length === 1 &&
    upgrade[0] === "websocket" &&
    listMembers(head.headers, "connection").includes("upgrade") &&
    onlyValue(head.headers, "sec-websocket-accept") === accept &&
    !(plainFrames && valuesOf(head.headers, "sec-websocket-extensions").length > 0)
  )
}

import type { Duplex } from "node:stream"
import type { Client } from "../front/client.ts"
import { endToEnd, serialise } from "../http/fields.ts"
import type { Header, ResponseHead } from "../http/head.ts"
import { send } from "../http/send.ts"
import type { ByteSource } from "../http/source.ts"
import { redactText } from "../redact/redactor.ts"
import type { Scanner } from "../redact/scanner.ts"
import { FrameRedactor } from "../redact/websocket-frames.ts"
import type { UpstreamConnection } from "../upstream/pool.ts"
import { statusLine } from "./download.ts"

/**
 * Tell the client that its handshake was accepted, then copy bytes both ways until either side ends. What comes from
 * the upstream is searched for secrets message by message. The connection is never used for anything else.
 */
export async function relayWebSocket(
  client: Client,
  connection: UpstreamConnection,
  head: ResponseHead,
  scanner: Scanner | undefined,
): Promise<{ received: number; sent: number }> {
  const hop: Header[] = [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
  ]
  const text = serialise(statusLine(head), [...hop, ...endToEnd(head.headers)])
  await send(client.stream, redactText(scanner, text, "latin1"))
  const frames = scanner === undefined ? undefined : new FrameRedactor(scanner)
  const [received, sent] = await Promise.all([
    copy(client.source, connection.stream),
    copy(connection.source, client.stream, frames === undefined ? undefined : (bytes) => frames.push(bytes)),
  ])
  return { received, sent }
}

/** Copy up to the end, then end the other side; when either breaks, both are gone. Never rejects. */
async function copy(source: ByteSource, sink: Duplex, change?: (bytes: Buffer) => Buffer): Promise<number> {
  let bytes = 0
  try {
    for (let chunk = await source.next(); chunk !== null; chunk = await source.next()) {
      const out = change === undefined ? chunk : change(chunk)
      bytes += out.length
      if (out.length > 0) await send(sink, out)
    }
    sink.end()
  } catch {
    sink.destroy()
    source.stream.destroy()
  }
  return bytes
}

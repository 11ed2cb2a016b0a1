import type { RequestFacts } from "../../../src/policy/types.ts"
import type { Engine } from "../engine.ts"
import type { Client } from "../front/client.ts"
import { type Refusal, renderRefusal } from "../front/refusal.ts"
import { type Framing, frameRequest, readBody } from "../http/body.ts"
import { listMembers, valuesOf } from "../http/fields.ts"
import type { RequestHead } from "../http/head.ts"
import type { Upload } from "./upload.ts"

/** A body up to this size is read and dropped, so that the connection can be kept after a refusal. */
const maxDropped = 64 * 1024

/** Whether the client's connection ends with this exchange by the client's own word, or because it speaks HTTP/1.0. */
export function clientCloses(head: RequestHead): boolean {
  return head.minor === 0 || listMembers(head.headers, "connection").includes("close")
}

/**
 * Answer a request by ourselves. Returns whether the connection can go on: the body must be small, wholly on its way
 * and not waiting for our 100. `upload` has begun to read it.
 */
export async function refuseRequest(
  engine: Engine,
  client: Client,
  head: RequestHead,
  facts: Partial<RequestFacts>,
  refusal: Refusal,
  upload?: Upload,
): Promise<boolean> {
  engine.log.refused({ method: head.method, ...facts }, refusal)
  const framing = upload === undefined ? frameOf(head) : undefined
  const droppable =
    upload === undefined
      ? framing?.kind === "none" ||
        (framing?.kind === "length" && framing.length <= maxDropped && valuesOf(head.headers, "expect").length === 0)
      : upload.complete
  const keep = droppable && !clientCloses(head) && refusal.status !== 400
  await client.answer(renderRefusal(refusal, head, !keep))
  if (!keep || framing === undefined || framing.kind === "none") return keep
  client.enter("head")
  return dropBody(client, framing)
}

async function dropBody(client: Client, framing: Framing): Promise<boolean> {
  try {
    const body = readBody(client.source, framing)
    while ((await body.next()) !== null);
    return true
  } catch {
    return false
  }
}

/** The framing of a request that may have been refused for just that. */
function frameOf(head: RequestHead): Framing | undefined {
  try {
    return frameRequest(head)
  } catch {
    return undefined
  }
}

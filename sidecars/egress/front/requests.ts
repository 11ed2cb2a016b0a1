import { createHash } from "node:crypto"
import { egressName } from "../../../src/policy/host.ts"
import { type Engine, useOnce } from "../engine.ts"
import { refuseRequest } from "../exchange/answer.ts"
import { carryRequest } from "../exchange/exchange.ts"
import { judge, type Permit, type Place } from "../exchange/judge.ts"
import { BadMessage, parseRequestHead, type RequestHead, readHeadLines } from "../http/head.ts"
import { ConnectionLost } from "../http/source.ts"
import type { Client } from "./client.ts"
import { answerLocally } from "./local.ts"
import { internalRefusal, malformed, type Refusal, renderRefusal } from "./refusal.ts"

/**
 * The next request's head; `undefined` when there is none: the client ended, or was told why it is refused. `place` is
 * where a tunnel leads, for the log.
 */
export async function readRequest(
  engine: Engine,
  client: Client,
  place: Partial<Place> = {},
): Promise<RequestHead | undefined> {
  client.enter("idle")
  try {
    const lines = await readHeadLines(client.source, engine.limits.headBytes, () => client.enter("head"))
    if (lines === null) {
      client.stream.destroy()
      return undefined
    }
    const head = parseRequestHead(lines)
    client.enter("busy")
    return head
  } catch (error) {
    if (error instanceof BadMessage) {
      const refusal = malformed(error.message, error.status)
      engine.log.refused(place, refusal)
      await client.answer(renderRefusal(refusal, { headers: [], method: "GET" }, true))
      await client.close()
      return undefined
    }
    client.stream.destroy()
    if (error instanceof ConnectionLost) return undefined
    throw error
  }
}

/** Serve requests that all go to one place, one after the other: those inside a tunnel. Returns how many there were. */
export async function serveRequests(engine: Engine, client: Client, to: Omit<Place, "target">): Promise<number> {
  const place = { scheme: to.scheme, host: to.host, port: to.port }
  for (let served = 0; ; served += 1) {
    const head = await readRequest(engine, client, place)
    if (head === undefined) return served
    if (await serveRequest(engine, client, head, { ...place, target: head.target })) continue
    await client.close()
    return served + 1
  }
}

/** Judge one request, then carry or refuse it. Returns whether the connection can go on. */
export async function serveRequest(engine: Engine, client: Client, head: RequestHead, place: Place): Promise<boolean> {
  if (place.host === egressName) return answerLocally(engine, client, head, place)
  const { scheme, host, port } = place
  const judged = judgeSafely(engine, head, place)
  if ("status" in judged) {
    const path = place.target.split("?", 1)[0] ?? ""
    return refuseRequest(engine, client, head, { scheme, host, port, path }, judged)
  }
  return carryRequest(engine, client, head, judged)
}

/** Judging fails closed: what is not strict HTTP is a 400, and anything unplanned a refusal. */
function judgeSafely(engine: Engine, head: RequestHead, place: Place): Permit | Refusal {
  try {
    const judged = judge(head, place, engine.rules, engine.secrets)
    if ("once" in judged && judged.once !== undefined) {
      const { method, scheme, host, port, path, query = "" } = judged.facts
      const query_sha256 = query === "" ? undefined : createHash("sha256").update(query).digest("hex")
      useOnce(engine, judged.once, { method, scheme, host, port, path, query_sha256 })
    }
    return judged
  } catch (error) {
    if (error instanceof BadMessage) return malformed(error.message, error.status)
    engine.log.error("judging a request", error)
    return internalRefusal()
  }
}

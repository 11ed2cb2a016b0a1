import { decide } from "../../../src/policy/decide.ts"
import { refuse as wordsFor } from "../../../src/policy/refuse.ts"
import type { Engine, Opening } from "../engine.ts"
import type { Client } from "../front/client.ts"
import { malformed, type Refusal, refusalOf, upstreamRefusal } from "../front/refusal.ts"
import { BadMessage, type RequestHead } from "../http/head.ts"
import { type DialFailure, dial } from "../upstream/dial.ts"
import { UpstreamConnection } from "../upstream/pool.ts"
import { clientCloses, refuseRequest } from "./answer.ts"
import { Download } from "./download.ts"
import type { Permit } from "./judge.ts"
import { Upload } from "./upload.ts"
import { relayWebSocket } from "./websocket.ts"
import { isAcceptance } from "./websocket-head.ts"

/** Methods that may be sent again when a kept connection died under them (RFC 9110 §9.2.2). */
const repeatable = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])

/** One permitted request on its way, and what to cut when it no longer is. */
class Carriage implements Opening {
  kind: Opening["kind"] = "request"
  readonly host: string
  readonly port: number
  isCut = false
  connection: UpstreamConnection | undefined
  readonly #permit: Permit
  readonly #client: Client

  constructor(permit: Permit, client: Client) {
    this.#permit = permit
    this.#client = client
    this.host = permit.facts.host
    this.port = permit.facts.port
  }

  get once(): boolean {
    return this.#permit.once !== undefined
  }

  permittedBy(rules: Engine["rules"]): boolean {
    if (this.once) return true
    const verdict = decide(this.#permit.facts, rules.compiled)
    return (
      verdict.kind === "allow" && rules.targets.of(this.#permit.facts, verdict.route).key === this.#permit.target.key
    )
  }

  cut(): void {
    this.isCut = true
    this.#client.stream.destroy()
    this.connection?.stream.destroy()
  }

  /** Nobody is left to answer. */
  get abandoned(): boolean {
    return this.isCut || this.#client.source.ended || this.#client.stream.destroyed
  }
}

/**
 * Carry a permitted request to its upstream and the answer back. Returns whether the client's connection can go on
 * with another request; its stream is left open either way, unless the answer broke off half told.
 */
export async function carryRequest(
  engine: Engine,
  client: Client,
  head: RequestHead,
  permit: Permit,
): Promise<boolean> {
  const carriage = new Carriage(permit, client)
  const started = engine.clock.now()
  engine.openings.add(carriage)
  client.onGone = () => carriage.connection?.stream.destroy()
  try {
    const repeats = permit.framing.kind === "none" && permit.websocketKey === undefined && repeatable.has(head.method)
    let kept = engine.pool.take(permit.target.key, !repeats)
    for (;;) {
      const connection: UpstreamConnection | Refusal = kept ?? (await connect(engine, permit))
      if (!(connection instanceof UpstreamConnection)) {
        return carriage.abandoned ? false : refuseRequest(engine, client, head, permit.facts, connection)
      }
      carriage.connection = connection
      if (carriage.abandoned) {
        connection.stream.destroy()
        return false
      }
      const outcome = await attempt(engine, client, head, permit, carriage, connection)
      if (outcome.kind === "done") {
        logRequest(engine, permit, head, outcome.download, outcome.upload, started)
        if (permit.once !== undefined) {
          const { status } = outcome.download
          engine.log.emit("once-sent", { once: permit.once, status, body_sha256: outcome.upload.sha256 })
        }
        return outcome.keep
      }
      if (kept !== undefined && repeats && !outcome.download.begun && !carriage.abandoned) {
        kept = undefined
        continue
      }
      return await tellFailure(engine, client, head, permit, carriage, outcome)
    }
  } finally {
    client.onGone = undefined
    engine.openings.delete(carriage)
  }
}

async function connect(engine: Engine, permit: Permit): Promise<UpstreamConnection | Refusal> {
  const generation = engine.pool.generation
  const dialled = await dial(permit.target, engine.dialDeps)
  if ("kind" in dialled) return refusalOfFailure(dialled, permit, engine.rules.policy.supervise)
  dialled.generation = generation
  return dialled
}

function refusalOfFailure(failure: DialFailure, permit: Permit, supervise: boolean): Refusal {
  const { host } = permit.facts
  switch (failure.kind) {
    case "private-address":
    case "resolve-failed":
      return refusalOf(wordsFor(failure.kind, { host, why: failure.message }, supervise))
    case "unreachable":
      return upstreamRefusal("upstream-unreachable", `${host} could not be reached: ${failure.message}.`)
    case "untrusted":
      return upstreamRefusal("upstream-untrusted", `${host} could not be trusted: ${failure.message}.`)
  }
}

type Outcome =
  | { kind: "done"; keep: boolean; download: Download; upload: Upload }
  | { kind: "broken"; error: unknown; download: Download; upload: Upload }

/** Send the request on one connection and relay its answer. */
async function attempt(
  engine: Engine,
  client: Client,
  head: RequestHead,
  permit: Permit,
  carriage: Carriage,
  connection: UpstreamConnection,
): Promise<Outcome> {
  const scanner = permit.redact ? engine.secrets.scanner : undefined
  const upload = new Upload(client, permit, connection)
  const download = new Download()
  const { minor } = head
  const context = { client, permit, connection, upload, minor, closing: clientCloses(head), scanner }
  try {
    const switched = await download.run({ ...context, headLimit: engine.limits.responseHeadBytes })
    if (switched !== undefined) {
      if (permit.websocketKey === undefined || !isAcceptance(switched, permit.websocketKey, scanner !== undefined)) {
        throw new BadMessage("a switch of protocols that was not asked for")
      }
      carriage.kind = "websocket"
      download.told = true
      const counts = await relayWebSocket(client, connection, switched, scanner)
      upload.received = counts.received
      download.sent += counts.sent
      connection.stream.destroy()
      return { kind: "done", keep: false, download, upload }
    }
    if (download.reusable && upload.finished) engine.pool.give(connection)
    else connection.stream.destroy()
    return { kind: "done", keep: upload.complete && !download.closes, download, upload }
  } catch (error) {
    connection.stream.destroy()
    return { kind: "broken", error, download, upload }
  }
}

/** Answer for an upstream that failed; where its answer was already half told, break off as it did. */
async function tellFailure(
  engine: Engine,
  client: Client,
  head: RequestHead,
  permit: Permit,
  carriage: Carriage,
  outcome: Outcome & { kind: "broken" },
): Promise<boolean> {
  const { upload, download, error } = outcome
  if (carriage.abandoned) return false
  const refusal =
    upload.fault !== undefined
      ? malformed(upload.fault.message)
      : error instanceof BadMessage
        ? upstreamRefusal("upstream-malformed", `${permit.facts.host} gave no proper answer: ${error.message}.`)
        : upstreamRefusal(
            "upstream-closed",
            `${permit.facts.host} closed the connection before its answer was complete.`,
          )
  if (!download.told) return refuseRequest(engine, client, head, permit.facts, refusal, upload)
  engine.log.refused(permit.facts, refusal)
  client.stream.destroy()
  return false
}

function logRequest(
  engine: Engine,
  permit: Permit,
  head: RequestHead,
  download: Download,
  upload: Upload,
  started: number,
): void {
  if (engine.rules.policy.log === 0) return
  engine.log.request(permit.facts, {
    status: download.status,
    sent: download.sent,
    received: upload.received,
    redacted: download.redacted,
    ms: engine.clock.now() - started,
    headers:
      engine.rules.policy.log === 2 ? { request: head.headers, response: download.head?.headers ?? [] } : undefined,
  })
}

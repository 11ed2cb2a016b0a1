import { withoutOnce } from "../../src/policy/widen.ts"
import type { ContextFor } from "./certificates.ts"
import type { Client } from "./front/client.ts"
import type { RefusedTunnels } from "./front/refused-tunnels.ts"
import type { Limits } from "./limits.ts"
import type { Clock, Log } from "./log.ts"
import type { SecretSet } from "./redact/secret-set.ts"
import { prepareRules, type Rules } from "./rules.ts"
import type { DialDeps } from "./upstream/dial.ts"
import type { UpstreamPool } from "./upstream/pool.ts"

/** Something open that a change of policy may cut: a tunnel, or a request under way. */
export interface Opening {
  kind: "tunnel" | "request" | "websocket"
  host: string
  port: number
  /** Let through by a rule that is used up: it is carried to its end, and its tunnel with it. */
  readonly once?: boolean
  /** Whether the new rules still permit it, as it was made. A throw counts as no. */
  permittedBy(rules: Rules): boolean
  cut(): void
}

/** Everything that the parts of one egress proxy share. Only `rules` is ever replaced. */
export interface Engine {
  rules: Rules
  readonly secrets: SecretSet
  readonly contextFor: ContextFor
  /** For hosts that are refused, which an agent may name without end: they push no other out of its place. */
  readonly refusedContextFor: ContextFor
  readonly refusedTunnels: RefusedTunnels
  readonly pool: UpstreamPool
  readonly dialDeps: DialDeps
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly clients: Set<Client>
  readonly openings: Set<Opening>
  /** Rules for one request that were used up: no policy brings them back. */
  readonly usedOnce: Set<string>
}

/**
 * Use up the rule that lets one request through. Nothing waits between finding a rule and this, so of two requests one
 * gets it. It is told before a byte is sent, so that whoever starts this process again knows.
 */
export function useOnce(engine: Engine, id: string, facts: Record<string, unknown>): void {
  engine.usedOnce.add(id)
  engine.rules = prepareRules(withoutOnce(engine.rules.policy, engine.usedOnce))
  engine.log.emit("once-used", { once: id, ...facts })
}

/**
 * Put new rules in force: at once for what is judged from now on; what is open and no longer permitted is cut, and
 * idle upstream connections are closed, since they may have been dialled under a permission that is gone.
 */
export function enforce(engine: Engine, rules: Rules): void {
  engine.rules = rules
  engine.pool.flush()
  for (const opening of [...engine.openings]) {
    if (isPermitted(opening, rules)) continue
    engine.openings.delete(opening)
    engine.log.emit("tunnel-cut", { what: opening.kind, host: opening.host, port: opening.port })
    opening.cut()
  }
}

function isPermitted(opening: Opening, rules: Rules): boolean {
  try {
    return opening.permittedBy(rules)
  } catch {
    return false
  }
}

/** Close clients that took too long over what they were doing. Called once in a while. */
export function sweep(engine: Engine): void {
  const { limits } = engine
  const longest = {
    handshake: limits.handshakeTime,
    idle: limits.idleTime,
    head: limits.headTime,
    upload: limits.uploadTime,
    closing: limits.closingTime,
    busy: Number.POSITIVE_INFINITY,
  } as const
  for (const client of [...engine.clients]) {
    if (client.age > longest[client.state]) client.stream.destroy()
  }
  engine.pool.sweep()
}

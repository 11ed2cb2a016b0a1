import { createLeafMinter } from "../../../sidecars/egress/certificates.ts"
import type { Engine, Opening } from "../../../sidecars/egress/engine.ts"
import type { Client } from "../../../sidecars/egress/front/client.ts"
import { RefusedTunnels } from "../../../sidecars/egress/front/refused-tunnels.ts"
import { defaultLimits } from "../../../sidecars/egress/limits.ts"
import { createLog } from "../../../sidecars/egress/log.ts"
import { SecretSet } from "../../../sidecars/egress/redact/secret-set.ts"
import { prepareRules, type Rules } from "../../../sidecars/egress/rules.ts"
import { UpstreamPool } from "../../../sidecars/egress/upstream/pool.ts"
import { createTrust } from "../../../sidecars/egress/upstream/trust.ts"
import type { CompiledPolicy, CompiledRoute } from "../../../src/policy/compile.ts"
import type { EgressPolicy } from "../../../src/policy/types.ts"
import type { Authority } from "../tls/authority.ts"
import type { Faults } from "./faults.ts"

export interface FaultyWorld {
  policy: EgressPolicy
  /** The value of the slot `TOKEN`. */
  secret: string
  upstreamCa: Authority
  bottleCa: Authority
}

/** An egress engine of which every dependency may fail; the connections to it are served as the sidecar serves them. */
export function makeFaultyEngine(faults: Faults, given: FaultyWorld): Engine {
  const { policy, secret, upstreamCa, bottleCa } = given
  const secrets = new SecretSet({ TOKEN: secret })
  const clock = { now: faults.call("clock.now", Date.now) }
  const limits = {
    ...defaultLimits,
    resolveTime: 40,
    connectTime: 200,
    handshakeTime: 200,
    headTime: 200,
    closingTime: 100,
  }
  const emit = faults.call("log.emit", () => undefined)
  const trustFor = createTrust(upstreamCa.cert)
  const scanned = faults.part("secrets", secrets, ["scanner"])
  const contextFor = faults.call(
    "certificates.contextFor",
    createLeafMinter({ cert: bottleCa.cert, key: bottleCa.key }),
  )
  return {
    rules: withFaults(faults, prepareRules(policy)),
    // The scanner itself may fail as well, on any of its calls.
    secrets: new Proxy(scanned, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target)
        return key === "scanner" && value !== undefined ? faults.part("scanner", value as object) : value
      },
    }),
    contextFor,
    refusedContextFor: contextFor,
    refusedTunnels: new RefusedTunnels(clock),
    pool: faults.part("pool", new UpstreamPool(clock.now), ["generation"]),
    dialDeps: {
      resolve: faults.call("resolve", async () => ["127.0.0.1"], true),
      ownAddresses: faults.call("ownAddresses", () => []),
      trustFor: faults.call("trustFor", trustFor),
      connectTime: limits.connectTime,
      resolveTime: limits.resolveTime,
    },
    limits,
    clock,
    log: createLog(emit, secrets, clock),
    clients: new Set<Client>(),
    openings: new Set<Opening>(),
    usedOnce: new Set(),
  }
}

function withFaults(faults: Faults, rules: Rules): Rules {
  const { compiled } = rules
  const routes = (table: CompiledPolicy["exact"], point: string): CompiledPolicy["exact"] =>
    faults.part(
      point,
      new Map([...table].map(([host, list]) => [host, list.map((route) => withFaultsIn(faults, route))])),
      ["size"],
    )
  const mapped: CompiledPolicy = {
    ...compiled,
    exact: routes(compiled.exact, "matcher.exact"),
    wildcard: routes(compiled.wildcard, "matcher.wildcard"),
    allowedExact: faults.part("matcher.allowedExact", compiled.allowedExact),
    allowedWildcard: faults.part("matcher.allowedWildcard", compiled.allowedWildcard, ["size"]),
  }
  return {
    ...rules,
    compiled: faults.part("matcher", mapped, ["exact", "wildcard"]),
    targets: faults.part("targets", rules.targets),
  }
}

function withFaultsIn(faults: Faults, { matches, ...rest }: CompiledRoute): CompiledRoute {
  if (matches === undefined) return rest
  return {
    ...rest,
    matches: matches.map((match) => ({
      ...match,
      ...(match.methods === undefined ? {} : { methods: faults.part("matcher.methods", match.methods) }),
      ...(match.paths === undefined ? {} : { paths: match.paths.map((path) => faults.call("matcher.path", path)) }),
    })),
  }
}

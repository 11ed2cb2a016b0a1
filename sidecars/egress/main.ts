import { lookup } from "node:dns/promises"
import { chmodSync, rmSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { networkInterfaces } from "node:os"
import type { EgressPolicy } from "../../src/policy/types.ts"
import { withoutOnce } from "../../src/policy/widen.ts"
import type { Secrets, SidecarEvent } from "../control.ts"
import { type CertificatePair, createLeafMinter } from "./certificates.ts"
import { type Engine, enforce, sweep } from "./engine.ts"
import { serveConnection } from "./front/connection.ts"
import { RefusedTunnels } from "./front/refused-tunnels.ts"
import { defaultLimits, type Limits } from "./limits.ts"
import { type Clock, createLog } from "./log.ts"
import { SecretSet } from "./redact/secret-set.ts"
import { prepareRules } from "./rules.ts"
import { UpstreamPool } from "./upstream/pool.ts"
import type { Resolver } from "./upstream/resolve.ts"
import { createTrust } from "./upstream/trust.ts"

export interface EgressOptions {
  /** Path of the Unix socket to listen on; made with mode 0666. */
  socket?: string
  /** Listen on TCP instead (tests, benchmarks); port 0 picks one. */
  listen?: { host: string; port: number }
  policy: EgressPolicy
  secrets: Secrets
  /** The bottle's CA, PEM. */
  ca: CertificatePair
  emit(event: SidecarEvent): void
  resolve?: Resolver
  /** The addresses of this host's own interfaces. */
  ownAddresses?: () => readonly string[]
  /** PEM of all system authorities, instead of the system's own. */
  systemCa?: string
  clock?: Clock
  limits?: Partial<Limits>
}

export interface Egress {
  /** Hash of the policy in force. */
  readonly policyHash: string
  /** The TCP port, when listening on one. */
  readonly port: number | undefined
  /**
   * Put another policy in force and cut what it no longer permits. Returns its hash. Throws, and changes nothing, when
   * it cannot be enforced.
   */
  applyPolicy(policy: EgressPolicy): string
  /** Set the values of slots; old values stay among what is redacted. */
  setSecrets(secrets: Secrets): void
  /** Stop listening and end every connection. */
  close(): Promise<void>
}

/** Start the egress proxy of one bottle. Resolves when it listens. */
export async function startEgress(options: EgressOptions): Promise<Egress> {
  // Verification is asked for on every connection; nothing in the environment may speak against it.
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  const engine = createEngine(options)
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    if (sockets.size >= engine.limits.connections) {
      engine.log.emit("error", { where: "accepting", message: "too many connections" })
      socket.on("error", () => {})
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    serveConnection(engine, socket).catch((error: unknown) => {
      engine.log.error("serving a connection", error)
      socket.destroy()
    })
  })
  await listen(server, options)
  server.on("error", (error) => engine.log.error("listening", error))
  const timer = setInterval(() => sweep(engine), sweepInterval(engine.limits))
  const address = server.address()
  return {
    get policyHash() {
      return engine.rules.hash
    },
    port: typeof address === "object" ? address?.port : undefined,
    applyPolicy(policy) {
      const rules = prepareRules(withoutOnce(policy, engine.usedOnce))
      if (rules.hash !== engine.rules.hash) enforce(engine, rules)
      return rules.hash
    },
    setSecrets(secrets) {
      engine.secrets.update(secrets)
    },
    async close() {
      clearInterval(timer)
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const client of engine.clients) client.stream.destroy()
      for (const socket of sockets) socket.destroy()
      engine.pool.flush()
      await closed
    },
  }
}

function createEngine(options: EgressOptions): Engine {
  const limits = { ...defaultLimits, ...options.limits }
  const clock = options.clock ?? { now: Date.now }
  const secrets = new SecretSet(options.secrets)
  return {
    rules: prepareRules(options.policy),
    secrets,
    contextFor: createLeafMinter(options.ca),
    refusedContextFor: createLeafMinter(options.ca, 64),
    refusedTunnels: new RefusedTunnels(clock),
    pool: new UpstreamPool(clock.now),
    dialDeps: {
      resolve: options.resolve ?? resolveBySystem,
      ownAddresses: options.ownAddresses ?? listOwnAddresses,
      trustFor: createTrust(options.systemCa),
      connectTime: limits.connectTime,
      resolveTime: limits.resolveTime,
    },
    limits,
    clock,
    log: createLog(options.emit, secrets, clock),
    clients: new Set(),
    openings: new Set(),
    usedOnce: new Set(),
  }
}

async function listen(server: Server, { socket, listen: tcp }: EgressOptions): Promise<void> {
  if (socket === undefined && tcp === undefined) throw new Error("egress: nowhere to listen")
  if (socket !== undefined) rmSync(socket, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    const ready = () => {
      server.off("error", reject)
      resolve()
    }
    if (socket !== undefined) server.listen(socket, ready)
    else server.listen(tcp?.port, tcp?.host, ready)
  })
  // The agent's side runs under another uid; the directory decides who gets here.
  if (socket !== undefined) chmodSync(socket, 0o666)
}

/** Often enough to hold the shortest limit within a quarter of it, and not more often than is worth it. */
function sweepInterval(limits: Limits): number {
  const { headTime, handshakeTime, idleTime, uploadTime, closingTime } = limits
  const shortest = Math.min(headTime, handshakeTime, idleTime, uploadTime, closingTime)
  return Math.max(10, Math.min(1000, shortest / 4))
}

const resolveBySystem: Resolver = async (host) => {
  const addresses = await lookup(host, { all: true, order: "verbatim" })
  return addresses.map(({ address }) => address)
}

function listOwnAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address))
}

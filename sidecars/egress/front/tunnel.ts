import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import { decideConnect } from "../../../src/policy/decide.ts"
import { canonicalHost, egressName, parseAuthority } from "../../../src/policy/host.ts"
import { connectOnce } from "../../../src/policy/once.ts"
import { refuse } from "../../../src/policy/refuse.ts"
import type { Engine, Opening } from "../engine.ts"
import { refuseRequest } from "../exchange/answer.ts"
import { onlyValue, valuesOf } from "../http/fields.ts"
import { BadMessage, type RequestHead } from "../http/head.ts"
import { Client } from "./client.ts"
import { internalRefusal, malformed, type Refusal, refusalOf } from "./refusal.ts"
import { serveRequests } from "./requests.ts"

/** The place a tunnel leads to. Its requests are judged again, one by one. */
interface Tunnel {
  scheme: "https" | "http"
  /** Canonical. */
  host: string
  port: number
  /** The host is refused, and so is each request, unless an approval comes first. */
  refused?: Refusal
}

/** Judge a CONNECT, answer it, and serve what comes through the tunnel: TLS that ends here, or for an http route HTTP. */
export async function openTunnel(engine: Engine, client: Client, socket: Socket, head: RequestHead): Promise<void> {
  const tunnel = judgeSafely(engine, head)
  if ("status" in tunnel) {
    const named = parseAuthority(head.target)
    const place = named.kind === "bad" ? {} : { host: named.host, ...(named.port && { port: named.port }) }
    await refuseRequest(engine, client, { ...head, minor: 0 }, place, tunnel)
    return client.close()
  }
  await client.answer("HTTP/1.1 200 Connection established\r\n\r\n")
  const opening = registerTunnel(engine, tunnel, socket)
  if (tunnel.scheme === "http") return void (await serveRequests(engine, client, tunnel))
  // A handshake that came before our answer was sent unjudged, and could not be handed on.
  if (client.source.detach().length > 0) {
    engine.log.refused(tunnel, malformed("bytes after CONNECT before it was answered"))
    socket.destroy()
    return
  }
  engine.clients.delete(client)
  const secured = await endTls(engine, socket, tunnel)
  const served = secured === undefined ? 0 : await serveRequests(engine, secured, tunnel)
  // Without a request nobody was refused anything yet, and it is to be known that somebody wanted to get there.
  if (served === 0 && tunnel.refused !== undefined) {
    engine.log.refused({ method: head.method, host: tunnel.host, port: tunnel.port }, tunnel.refused)
  }
  if (secured !== undefined) return
  socket.destroy()
  engine.openings.delete(opening)
}

function judgeSafely(engine: Engine, head: RequestHead): Tunnel | Refusal {
  try {
    return judgeConnect(engine, head)
  } catch (error) {
    if (error instanceof BadMessage) return malformed(error.message)
    engine.log.error("judging a CONNECT", error)
    return internalRefusal()
  }
}

function judgeConnect(engine: Engine, head: RequestHead): Tunnel | Refusal {
  const { supervise } = engine.rules.policy
  const named = parseAuthority(head.target)
  if (named.kind === "bad") return refusalOf(refuse("bad-host", { why: named.why }, supervise), 400)
  const { host, port } = named
  if (port === undefined) return malformed("CONNECT names no port")
  if (valuesOf(head.headers, "content-length").concat(valuesOf(head.headers, "transfer-encoding")).length > 0) {
    return malformed("CONNECT has a body")
  }
  const hostField = onlyValue(head.headers, "host")
  if (hostField === undefined && head.minor === 1) return malformed("no Host field")
  if (hostField !== undefined) {
    const said = parseAuthority(hostField)
    if (said.kind === "bad" || said.host !== host || (said.port ?? port) !== port) {
      return refusalOf(refuse("host-mismatch", { host, why: "the Host field names another" }, supervise))
    }
  }
  if (host === egressName && port === 80) return { scheme: "http", host, port }
  const judged = decideConnect(host, port, engine.rules.compiled)
  const verdict = judged.kind === "deny" ? (connectOnce(host, port, engine.rules.once) ?? judged) : judged
  if (verdict.kind === "deny") {
    const refused = refusalOf(verdict)
    return engine.refusedTunnels.admits(verdict, host, port) ? { scheme: "https", host, port, refused } : refused
  }
  return { scheme: verdict.route?.scheme ?? "https", host, port }
}

/** Keep a tunnel among what a change of policy may cut, for as long as its socket lives. */
function registerTunnel(engine: Engine, tunnel: Tunnel, socket: Socket): Opening {
  const { host, port, scheme } = tunnel
  const opening: Opening = {
    ...{ kind: "tunnel", host, port },
    permittedBy(rules) {
      if (host === egressName || tunnel.refused !== undefined) return true
      for (const other of engine.openings) if (other.once && other.host === host && other.port === port) return true
      const judged = decideConnect(host, port, rules.compiled)
      const verdict = judged.kind === "deny" ? (connectOnce(host, port, rules.once) ?? judged) : judged
      return verdict.kind === "allow" && (verdict.route?.scheme ?? "https") === scheme
    },
    cut: () => socket.destroy(),
  }
  // It may have gone while it was answered; nothing would take it out again.
  if (socket.destroyed) return opening
  engine.openings.add(opening)
  socket.on("close", () => engine.openings.delete(opening))
  return opening
}

/**
 * End the client's TLS with a certificate for the tunnel's host. The name in the handshake must be that host or none
 * at all; otherwise the connection is dropped before a byte of it is read.
 */
async function endTls(engine: Engine, socket: Socket, tunnel: Tunnel): Promise<Client | undefined> {
  socket.on("error", () => socket.destroy())
  if (socket.destroyed) return undefined
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: (tunnel.refused === undefined ? engine.contextFor : engine.refusedContextFor)(tunnel.host),
    // With one of them missing, a client that offers that alone is turned away in the handshake (`curl -0`).
    ALPNProtocols: ["http/1.1", "http/1.0"],
  })
  const client = new Client(secure, engine.clock.now)
  client.enter("handshake")
  engine.clients.add(client)
  secure.on("close", () => {
    engine.clients.delete(client)
    socket.destroy()
  })
  const failure = await new Promise<Error | undefined>((resolve) => {
    secure.on("secure", () => resolve(undefined))
    secure.on("error", resolve)
    secure.on("close", () => resolve(new Error("closed during the handshake")))
  })
  const name = (secure as { servername?: unknown }).servername
  if (typeof name === "string" && name !== "" && !isSameHost(name, tunnel.host)) {
    const why = `the handshake names ${name}`
    engine.log.refused(tunnel, refusalOf(refuse("sni-mismatch", { host: tunnel.host, why }, false)))
    return undefined
  }
  if (failure !== undefined) {
    engine.log.emit("handshake-failed", { host: tunnel.host, port: tunnel.port, message: failure.message })
    return undefined
  }
  return client
}

function isSameHost(name: string, host: string): boolean {
  const canonical = canonicalHost(name)
  return canonical.kind === "host" && canonical.host === host
}

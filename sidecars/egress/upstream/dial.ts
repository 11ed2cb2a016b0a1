import { isIP, type Socket, connect as tcpConnect } from "node:net"
import type { Duplex } from "node:stream"
import { checkServerIdentity, connect as tlsConnect } from "node:tls"
import { parseResponseHead, readHeadLines } from "../http/head.ts"
import { ByteSource } from "../http/source.ts"
import { UpstreamConnection } from "./pool.ts"
import { type AddressDeps, chooseAddresses } from "./resolve.ts"
import type { Target } from "./target.ts"
import type { TrustFor } from "./trust.ts"

/** Why there is no connection. `message` holds no address, so that the agent learns nothing of the inside. */
export interface DialFailure {
  kind: "private-address" | "resolve-failed" | "unreachable" | "untrusted"
  message: string
}

export interface DialDeps extends AddressDeps {
  trustFor: TrustFor
  /** Longest wait for one connection, and for one TLS handshake, in ms. */
  connectTime: number
}

/** How long the next address waits for the one before, in ms. */
const stagger = 250

class Failed extends Error {
  readonly failure: DialFailure
  constructor(kind: DialFailure["kind"], message: string) {
    super(message)
    this.failure = { kind, message }
  }
}

/**
 * Make a connection to a target: resolve once, dial by address (or through the further proxy, whose word on addresses
 * is then taken), and for https verify the certificate against the host of the request, whatever was dialled.
 */
export async function dial(target: Target, deps: DialDeps): Promise<UpstreamConnection | DialFailure> {
  try {
    const place = target.connectTo ?? target
    if (target.proxy !== undefined) {
      const { proxy } = target
      const stream = await connectAny([proxy.host], proxy.port, deps)
      if (target.scheme === "http") {
        return new UpstreamConnection(stream, target.key, { authorization: proxy.authorization })
      }
      await openTunnel(stream, place, proxy.authorization, deps.connectTime)
      return new UpstreamConnection(await startTls(stream, target, deps), target.key)
    }
    const addresses = await chooseAddresses(place.host, target.allowPrivate, deps)
    if (!Array.isArray(addresses)) throw new Failed(addresses.kind, addresses.message)
    const stream = await connectAny(addresses, place.port, deps)
    const secured = target.scheme === "http" ? stream : await startTls(stream, target, deps)
    return new UpstreamConnection(secured, target.key)
  } catch (error) {
    if (error instanceof Failed) return error.failure
    return { kind: "unreachable", message: `${target.host} could not be reached` }
  }
}

/**
 * Dial the addresses, the next one when the one before has failed or has not answered for a moment, so that a broken
 * IPv6 costs little; the first that answers is taken and the others are dropped.
 */
async function connectAny(addresses: readonly string[], port: number, deps: DialDeps): Promise<Duplex> {
  const sockets: Socket[] = []
  let code = "no address"
  const attempts = addresses.slice(0, 4).map((address) => async () => {
    const socket = tcpConnect({ host: address, port })
    sockets.push(socket)
    try {
      await opened(socket, "connect", deps.connectTime)
      return socket
    } catch (error) {
      code = (error as { code?: string }).code ?? "no answer"
      throw error
    }
  })
  try {
    const socket = await firstOf(attempts)
    socket.setNoDelay(true)
    // Long silent streams must outlive what forgets idle connections on the way.
    socket.setKeepAlive(true, 30_000)
    for (const other of sockets) if (other !== socket) other.destroy()
    return socket
  } catch {
    for (const socket of sockets) socket.destroy()
    throw new Failed("unreachable", `the upstream does not accept connections (${code})`)
  }
}

/** Start attempts one after the other, each a moment after the one before or when that failed; the first success. */
function firstOf<T>(attempts: readonly (() => Promise<T>)[]): Promise<T> {
  return new Promise((resolve, reject) => {
    let next = 0
    let failed = 0
    const startNext = () => {
      const attempt = attempts[next++]
      if (attempt === undefined) return
      const timer = setTimeout(startNext, stagger)
      attempt().then(
        (value) => {
          clearTimeout(timer)
          next = attempts.length
          resolve(value)
        },
        () => {
          clearTimeout(timer)
          if (++failed === attempts.length) reject(new Error("all failed"))
          else if (failed === next) startNext()
        },
      )
    }
    startNext()
    if (attempts.length === 0) reject(new Error("none"))
  })
}

async function startTls(stream: Duplex, target: Target, deps: DialDeps): Promise<Duplex> {
  const bareHost = target.host.replace(/^\[|\]$/g, "")
  try {
    const socket = tlsConnect({
      socket: stream,
      // An address is no server name (RFC 6066); it is checked against the certificate all the same.
      servername: isIP(bareHost) === 0 ? bareHost : "",
      secureContext: deps.trustFor(target.ca),
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: true,
      checkServerIdentity: (_, certificate) => checkServerIdentity(bareHost, certificate),
    })
    await opened(socket, "secureConnect", deps.connectTime)
    if (!socket.authorized) throw new Error("not authorized")
    return socket
  } catch (error) {
    stream.destroy()
    const code = (error as { code?: string }).code ?? "handshake failed"
    throw new Failed("untrusted", `the certificate or TLS of ${target.host} was not accepted (${code})`)
  }
}

async function openTunnel(
  stream: Duplex,
  place: { host: string; port: number },
  authorization: string | undefined,
  limit: number,
): Promise<void> {
  const authority = `${isIP(place.host) === 6 ? `[${place.host}]` : place.host}:${place.port}`
  const credentials = authorization === undefined ? "" : `Proxy-Authorization: ${authorization}\r\n`
  const source = new ByteSource(stream)
  const timer = setTimeout(() => stream.destroy(), limit)
  try {
    stream.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`)
    const lines = await readHeadLines(source, 64 * 1024)
    if (lines === null) throw new Failed("unreachable", "the further proxy closed the connection")
    const { status } = parseResponseHead(lines)
    if (status !== 200) throw new Failed("unreachable", `the further proxy answered CONNECT with ${status}`)
  } catch (error) {
    stream.destroy()
    throw error instanceof Failed ? error : new Failed("unreachable", "the further proxy gave no proper answer")
  } finally {
    clearTimeout(timer)
  }
  if (source.detach().length > 0) {
    stream.destroy()
    throw new Failed("unreachable", "the further proxy sent bytes before the handshake")
  }
}

/** Wait for a socket's opening event. Rejects with its error, when it closes, or after `limit` ms. */
function opened(socket: Duplex, event: string, limit: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer)
      socket.off(event, onOpen)
      socket.off("close", onClose)
      act()
    }
    const timer = setTimeout(() => settle(() => reject({ code: "timed out" })), limit)
    const onOpen = () => settle(resolve)
    const onClose = () => settle(() => reject({ code: "closed" }))
    socket.on(event, onOpen)
    socket.on("close", onClose)
    // Stays for good: an error of a socket that nobody waits for must not end the process.
    socket.on("error", (error) => settle(() => reject(error)))
  })
}

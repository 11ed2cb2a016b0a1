import { connect } from "node:net"
import { connect as secure } from "node:tls"
import { quantile } from "../rounds.ts"
import { AnswerCounter } from "./answers.ts"
import { Link, type Path } from "./link.ts"

/** What the load generator can be asked for. */
export type Workload = { path: Path } & (
  | /** Kept-alive GETs of 1 KB on so many connections, one under way on each. */
  { kind: "requests"; connections: number; seconds: number }
  /** One GET of 1 KB on each new connection, so many connections at a time. */
  | { kind: "connections"; connections: number; seconds: number }
  | { kind: "down"; bytes: number }
  | { kind: "up"; bytes: number }
  /** Ask for a big answer and read it at about this rate. */
  | { kind: "slow"; bytesPerSecond: number; seconds: number }
)

export interface Outcome {
  /** Requests, connections, or transfers completed. */
  count: number
  seconds: number
  /** Bytes of bodies. */
  bytes: number
  /** Milliseconds a request, or a connection with its request. */
  p50: number
  p99: number
}

export function perform(load: Workload): Promise<Outcome> {
  switch (load.kind) {
    case "requests":
      return keepAsking(load.path, load.connections, load.seconds)
    case "connections":
      return keepConnecting(load.path, load.connections, load.seconds)
    case "down":
      return transfer(load.path, request(load.path, `GET /big?${load.bytes}`), 0)
    case "up":
      return transfer(load.path, request(load.path, "POST /sink", `Content-Length: ${load.bytes}\r\n`), load.bytes)
    case "slow":
      return readSlowly(load.path, load.bytesPerSecond, load.seconds)
  }
}

function request(path: Path, line: string, more = ""): Buffer {
  const fields = `Host: localhost:${path.origin}\r\nUser-Agent: bench\r\nAccept: */*\r\n${more}`
  return Buffer.from(`${line} HTTP/1.1\r\n${fields}\r\n`)
}

async function keepAsking(path: Path, connections: number, seconds: number): Promise<Outcome> {
  const asked = request(path, "GET /small")
  const links = await Promise.all(Array.from({ length: connections }, () => Link.open(path)))
  const times: number[] = []
  const started = performance.now()
  const end = started + seconds * 1000
  const counted = links.map(
    (link) =>
      new Promise<number>((resolve, reject) => {
        const counter = new AnswerCounter()
        let sent = performance.now()
        counter.onComplete = () => {
          const now = performance.now()
          times.push(now - sent)
          if (now > end) return resolve(counter.bytes)
          sent = now
          link.write(asked)
        }
        link.onData = guarded(counter, reject)
        link.onClose = () => reject(new Error("closed under a request"))
        link.write(asked)
      }),
  )
  const bytes = (await Promise.all(counted)).reduce((sum, one) => sum + one, 0)
  const outcome = summarise(times, bytes, started)
  for (const link of links) link.close()
  return outcome
}

async function keepConnecting(path: Path, connections: number, seconds: number): Promise<Outcome> {
  const asked = request(path, "GET /small")
  const times: number[] = []
  const started = performance.now()
  const end = started + seconds * 1000
  let bytes = 0
  const workers = Array.from({ length: connections }, async () => {
    while (performance.now() < end) {
      const from = performance.now()
      const link = await Link.open(path)
      bytes += await answerOf(link, asked)
      times.push(performance.now() - from)
      link.close()
    }
  })
  await Promise.all(workers)
  return summarise(times, bytes, started)
}

/** Send one request and read its answer; returns the bytes of its body. */
function answerOf(link: Link, asked: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const counter = new AnswerCounter()
    counter.onComplete = () => resolve(counter.bytes)
    link.onData = guarded(counter, reject)
    link.onClose = () => reject(new Error("closed under a request"))
    link.write(asked)
  })
}

/** One transfer on a connection that is already open, up to the last byte of the answer. */
async function transfer(path: Path, asked: Buffer, upload: number): Promise<Outcome> {
  const link = await Link.open(path)
  const started = performance.now()
  const answered = answerOf(link, asked)
  if (upload > 0) sendBody(link, upload)
  const received = await answered
  const seconds = (performance.now() - started) / 1000
  link.close()
  return { count: 1, seconds, bytes: Math.max(received, upload), p50: seconds * 1000, p99: seconds * 1000 }
}

function sendBody(link: Link, length: number): void {
  const block = Buffer.alloc(256 * 1024, "All of this is sent up, and none of it is a secret that anybody looks for.\n")
  let left = length
  const send = () => {
    while (left > 0) {
      const size = Math.min(block.length, left)
      const written = Math.max(0, link.write(size === block.length ? block : block.subarray(0, size)))
      left -= written
      if (written < size) return
    }
  }
  link.onDrain = send
  send()
}

/** The one workload on node's streams: their `pause` stops the reading of TLS for certain. */
async function readSlowly(path: Path, bytesPerSecond: number, seconds: number): Promise<Outcome> {
  const { proxy, origin, ca } = path
  const place =
    proxy === undefined ? { host: "127.0.0.1", port: origin } : "unix" in proxy ? { path: proxy.unix } : proxy
  const raw = connect(place as { path: string })
  if (proxy !== undefined) {
    raw.write(`CONNECT localhost:${origin} HTTP/1.1\r\nHost: localhost:${origin}\r\n\r\n`)
    await new Promise((resolve, reject) => {
      raw.once("data", resolve)
      raw.once("error", reject)
    })
  }
  const socket = secure({ socket: raw, servername: "localhost", ca })
  const started = performance.now()
  let bytes = 0
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject)
    socket.on("data", (chunk) => {
      bytes += chunk.length
      const ahead = (bytes / bytesPerSecond) * 1000 - (performance.now() - started)
      if (ahead <= 0) return
      socket.pause()
      setTimeout(() => socket.resume(), ahead)
    })
    setTimeout(resolve, seconds * 1000)
    socket.write(request(path, "GET /big?500000000"))
  })
  socket.destroy()
  raw.destroy()
  return { count: 1, seconds, bytes, p50: Number.NaN, p99: Number.NaN }
}

function guarded(counter: AnswerCounter, reject: (error: unknown) => void): (chunk: Buffer) => void {
  return (chunk) => {
    try {
      counter.push(chunk)
    } catch (error) {
      reject(error)
    }
  }
}

function summarise(times: readonly number[], bytes: number, started: number): Outcome {
  const seconds = (performance.now() - started) / 1000
  const sorted = Float64Array.from(times).sort()
  return { count: times.length, seconds, bytes, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
}

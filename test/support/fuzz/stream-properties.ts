import { PassThrough } from "node:stream"
import { parseRequest } from "../../../sidecars/guest/parse-request.ts"
import type { GuestRequest } from "../../../sidecars/guest/protocol.ts"
import { parseKeeperRequest } from "../../../src/bottle/keeper/parse-request.ts"
import { readProbes } from "../../../src/bottle/keeper/session/guest-client.ts"
import { encodeFrame, FrameKind, type FrameKindValue, FrameReader, maxFramePayload } from "../../../src/lib/frames.ts"
import { LineReader, readFirstLine } from "../../../src/lib/lines.ts"
import type { Random } from "../tls/random.ts"
import { expectSame, expectTrue, mutate, type Property } from "./property.ts"

const kinds = Object.values(FrameKind)

/** Frames, sometimes with a byte changed. */
function makeFrames(random: Random): Buffer {
  const parts = Array.from({ length: random.below(5) }, () => {
    const size = random.pick([0, 1, 5, 300, random.below(40) === 0 ? maxFramePayload : 20])
    return encodeFrame(random.pick(kinds) as FrameKindValue, Buffer.alloc(size, random.below(256)))
  })
  const bytes = Buffer.concat([...parts, random.bytes(random.below(4))])
  if (bytes.length > 0 && random.below(3) === 0) bytes[random.below(Math.min(bytes.length, 40))] = random.below(256)
  return bytes
}

function readFrames(slices: readonly Buffer[]): { written: Buffer; failed: boolean } {
  const reader = new FrameReader()
  const written: Uint8Array[] = []
  try {
    for (const slice of slices) {
      for (const { kind, payload } of reader.push(slice)) {
        expectTrue("a frame too large", payload.length <= maxFramePayload)
        written.push(encodeFrame(kind as FrameKindValue, payload))
      }
    }
    return { written: Buffer.concat(written), failed: false }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { written: Buffer.concat(written), failed: true }
  }
}

const words = [
  ...[
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "-1",
    "0.5",
    "NaN",
    "\\u0000",
    "\\ud800",
    "\0",
    "\n",
    '"op"',
    '"stop"',
    '"status"',
  ],
  ...[
    '"__proto__":{"op":"start"},',
    '"constructor":1,',
    '"argv":[],',
    '"argv":"x",',
    '"pty":{"cols":1e9,"rows":-1},',
    '"pty":[],',
    '"stdin":"yes",',
    '"toString":1,',
  ],
]
const guestRequests: GuestRequest[] = [
  { op: "files", files: [{ path: "/a", mode: 0o600, content: "x" }] },
  { op: "prove", hostAddresses: ["1.2.3.4"], proxy: "http://127.0.0.1:9099" },
  { op: "start", argv: ["a", "b"], env: { A: "b" }, cwd: "/", pty: { cols: 80, rows: 24 }, stdin: true },
  { op: "status" },
]
const keeperRequests = [
  { op: "status" },
  { op: "attach", pty: { cols: 80, rows: 24 }, term: "xterm", stdin: true },
  { op: "exec", argv: ["sh"], pty: null, term: "xterm", stdin: false },
  { op: "stop", how: "stop" },
  { op: "stop", how: "destroy" },
]
const text = (value: unknown) => typeof value === "string" && !value.includes("\0")
const texts = (value: unknown) => Array.isArray(value) && value.every(text)
const isSize = (value: unknown) => {
  const { cols, rows } = (value ?? {}) as { cols?: unknown; rows?: unknown }
  return [cols, rows].every((count) => Number.isInteger(count) && Number(count) >= 0 && Number(count) <= 9999)
}

/** The shape of a guest's request, written down a second time. */
function isGuestRequest(value: GuestRequest): boolean {
  if (value.op === "status") return Object.keys(value).length === 1
  if (value.op === "prove") return texts(value.hostAddresses) && text(value.proxy)
  if (value.op === "dial")
    return value.port > 0 && value.port < 65_536 && ![9099, 9100, 9200, 9418].includes(value.port)
  if (value.op === "files")
    return value.files.every(
      ({ path, mode, content }) => text(path) && mode >= 0 && mode <= 0o777 && typeof content === "string",
    )
  const { argv, env, cwd, pty, stdin } = value
  return (
    texts(argv) &&
    argv.length > 0 &&
    Object.values(env).every(text) &&
    text(cwd) &&
    (pty === null || isSize(pty)) &&
    typeof stdin === "boolean"
  )
}

function isKeeperRequest(value: Record<string, unknown>): boolean {
  if (value.op === "status") return true
  if (value.op === "stop") return value.how === "stop" || value.how === "destroy"
  const session = (value.pty === null || isSize(value.pty)) && text(value.term) && typeof value.stdin === "boolean"
  return (
    session &&
    (value.op === "attach" || (value.op === "exec" && texts(value.argv) && (value.argv as string[]).length > 0))
  )
}

export const streamProperties: readonly Property[] = [
  {
    name: "frames read the same however they are cut, and are a prefix of what was sent",
    short: 5000,
    check(random) {
      const bytes = makeFrames(random)
      const whole = readFrames([bytes])
      const cut = readFrames(random.slices(bytes))
      expectSame("failed", cut.failed, whole.failed)
      // Frames before a malformed one may come out when they came in a slice of their own.
      expectTrue("not a prefix", bytes.subarray(0, cut.written.length).equals(cut.written))
      if (!whole.failed) expectTrue("cut differently", cut.written.equals(whole.written))
      return !whole.failed
    },
  },
  {
    name: "lines are what was sent, however they are cut, up to the limit",
    short: 5000,
    check(random) {
      const bytes = Buffer.from(
        mutate(random, '{"a":1}\nsecond line\n\nlast', ["\n", "\r\n", "\0", "ü", "x".repeat(30)], 6),
      )
      const limit = random.pick([5, 20, 1000])
      const reader = new LineReader(limit)
      const wanted = bytes.toString().split("\n")
      const isLong = bytes
        .toString("latin1")
        .split("\n")
        .some((line) => line.length > limit)
      try {
        const lines = random.slices(bytes).flatMap((slice) => reader.push(slice))
        expectSame("lines", [...lines, reader.rest().toString()], wanted)
        expectTrue("a line over the limit", !isLong)
        return true
      } catch (error) {
        if (!(error instanceof RangeError) || !isLong) throw error
        return false
      }
    },
  },
  {
    name: "a first line and what follows it are what was sent",
    short: 2000,
    async check(random) {
      const bytes = Buffer.from(mutate(random, '{"op":"status"}\nrest of it', ["\n", "\0", "ü", "\r"], 4))
      const stream = new PassThrough()
      for (const slice of random.slices(bytes)) stream.write(slice)
      stream.end()
      const end = bytes.indexOf(10)
      try {
        const line = await readFirstLine(stream, 40)
        expectSame("line", line, bytes.subarray(0, end).toString())
        const rest: Buffer[] = []
        for await (const chunk of stream) rest.push(chunk as Buffer)
        expectSame("rest", Buffer.concat(rest).toString("latin1"), bytes.subarray(end + 1).toString("latin1"))
        return true
      } catch (error) {
        if (end === -1 || end > 40) return false
        throw error
      }
    },
  },
  {
    name: "a guest takes requests of the protocol's shape and no others, and says why",
    short: 20_000,
    check(random) {
      const request = parseRequest(mutate(random, JSON.stringify(random.pick(guestRequests)), words))
      if (typeof request === "string") {
        expectTrue("a long reason", request.length > 0 && request.length < 100)
        return false
      }
      expectTrue(`not of the shape: ${JSON.stringify(request)}`, isGuestRequest(request))
      return true
    },
  },
  {
    name: "a keeper takes requests of the protocol's shape and no others",
    short: 20_000,
    check(random) {
      const request = parseKeeperRequest(mutate(random, JSON.stringify(random.pick(keeperRequests)), words))
      if (request === undefined) return false
      expectTrue(`not of the shape: ${JSON.stringify(request)}`, isKeeperRequest({ ...request }))
      return true
    },
  },
  {
    name: "what a guest says of its probes is a bounded list, good only where it says so",
    short: 10_000,
    check(random) {
      const line = mutate(
        random,
        '{"ok":true,"probes":[{"name":"tcp","ok":true,"detail":"refused"},{"name":"udp","ok":false}]}',
        words,
      )
      let answer: unknown
      try {
        answer = JSON.parse(line)
      } catch {
        return false
      }
      if (typeof answer !== "object" || answer === null) return false
      const probes = readProbes(answer as { ok: true })
      expectTrue("no probes", probes.length > 0 && probes.length <= 100)
      for (const probe of probes) {
        expectTrue("long", probe.name.length <= 60 && (probe.detail?.length ?? 0) <= 200)
        expectTrue("good without a word", typeof probe.ok === "boolean")
      }
      return true
    },
  },
]

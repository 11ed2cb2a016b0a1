import { describe, expect, test } from "bun:test"
import { createTerminalFilter } from "../../../../src/ui/terminal-filter/index.ts"
import { firstForbidden } from "./allowed.ts"

const rounds = Number(process.env.FUZZ_ROUNDS ?? 4000)
const seeds = [1, 20_240_229, 0xdead_beef]

/** A small generator with a seed, so that a failure can be had again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const pieces = [
  ...["\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1bk", "\x1bc", "\x1b\\", "\x07", "\x18", "\x1a"],
  ...["\u009b", "\u009d", "\u0090", "\u009c", "\u009f", "\x1bPtmux;\x1b\x1b", "\x1b\x1b\\", "\x1b(0", "\x1b7", "\x0e"],
  ...["?", ">", "<", "=", ";", ":", "!", " ", "$", '"', "*", "0", "1", "4", "25", "1049", "2004", "2031", "999999"],
  ..."@ABCDHJKLMPSTXZabcdfghilmnpqrstuxyz",
  ...[
    "52;c;AA",
    "0;t",
    "8;;u",
    "4;1;",
    "11;",
    "104",
    "rgb:ff/00/00",
    "#fff",
    "red",
    "\n",
    "\r",
    "\0",
    "\x05",
    "ü",
    "日",
    "😀",
  ],
  ...["\x1b[?1049h", "\x1b[31m", "\x1b[6n", "\x1b[>1u", "\x1b[<u", "\x1b[=1u", "\x1b]11;?\x07", "\x1b[5n", "text"],
].map((piece) => Buffer.from(piece))

function makeInput(random: (below: number) => number): Uint8Array {
  const parts: Uint8Array[] = []
  for (let left = 1 + random(24); left > 0; left--) {
    const piece = pieces[random(pieces.length)]
    parts.push(random(8) === 0 || piece === undefined ? new Uint8Array([random(256)]) : piece)
  }
  return Buffer.concat(parts)
}

function filterChunks(chunks: readonly Uint8Array[]): Uint8Array {
  const filter = createTerminalFilter()
  return Buffer.concat([...chunks.map((chunk) => filter.push(chunk)), filter.end()])
}

const bytewise = (input: Uint8Array) => filterChunks([...input].map((byte) => new Uint8Array([byte])))
const quoted = (bytes: Uint8Array) => JSON.stringify(Buffer.from(bytes).toString("latin1"))

describe.each(seeds)("seed %d", (seed) => {
  test("whatever goes in, only what is allowed comes out", () => {
    const random = randomFrom(seed)
    for (let round = 0; round < rounds; round++) {
      const input = makeInput(random)
      const forbidden = firstForbidden(filterChunks([input]))
      if (forbidden !== undefined) expect(`${forbidden} from ${quoted(input)}`).toBe("nothing forbidden")
    }
  })

  test("where chunks are cut changes nothing", () => {
    const random = randomFrom(seed + 1)
    for (let round = 0; round < rounds / 4; round++) {
      const input = makeInput(random)
      const whole = quoted(filterChunks([input]))
      if (quoted(bytewise(input)) !== whole) expect(quoted(bytewise(input))).toBe(`${whole} from ${quoted(input)}`)
      for (let cut = 1; cut < input.length; cut++) {
        const split = quoted(filterChunks([input.subarray(0, cut), input.subarray(cut)]))
        if (split !== whole) expect(split).toBe(`${whole} from ${quoted(input)} cut at ${cut}`)
      }
    }
  })

  test("filtering twice is filtering once", () => {
    const random = randomFrom(seed + 2)
    for (let round = 0; round < rounds; round++) {
      const input = makeInput(random)
      const once = createTerminalFilter().push(input)
      const twice = createTerminalFilter().push(once)
      if (quoted(twice) !== quoted(once)) expect(quoted(twice)).toBe(`${quoted(once)} from ${quoted(input)}`)
    }
  })
})

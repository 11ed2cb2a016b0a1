import { describe, expect, test } from "bun:test"
import { PassThrough, type Transform } from "node:stream"
import { brotliCompressSync, constants, createBrotliCompress, createDeflateRaw, createGzip, gzipSync } from "node:zlib"
import { readBody } from "../../../../../sidecars/egress/http/body.ts"
import { ByteSource } from "../../../../../sidecars/egress/http/source.ts"
import { codingOf, cutAcceptEncoding, DecodedBody } from "../../../../../sidecars/egress/redact/decode.ts"
import { encodingsOf } from "../../../../../sidecars/egress/redact/patterns.ts"
import { Redactor, redactText } from "../../../../../sidecars/egress/redact/redactor.ts"
import { createScanner, type Scanner } from "../../../../../sidecars/egress/redact/scanner.ts"
import { SecretSet } from "../../../../../sidecars/egress/redact/secret-set.ts"
import { FrameRedactor } from "../../../../../sidecars/egress/redact/websocket-frames.ts"
import { Random } from "../../../../support/tls/random.ts"

function scannerOf(...literals: string[]): Scanner {
  const scanner = createScanner(literals.map((text) => Buffer.from(text, "latin1")))
  if (scanner === undefined) throw new Error("nothing to scan for")
  return scanner
}

/** What a redactor must give, the slow way. */
function starred(text: Buffer, literals: string[]): string {
  const out = Buffer.from(text)
  for (const literal of literals) {
    for (let at = text.indexOf(literal, 0, "latin1"); at !== -1; at = text.indexOf(literal, at + 1, "latin1")) {
      out.fill("*", at, at + literal.length)
    }
  }
  return out.toString("latin1")
}

describe("a redactor", () => {
  test("stars every literal, overlapping ones too, however the bytes are cut", () => {
    for (let seed = 0; seed < 3000; seed++) {
      const random = new Random(seed)
      const word = (length: number) => Array.from({ length }, () => random.pick(["a", "b", "c"])).join("")
      const literals = Array.from({ length: 1 + random.below(3) }, () => word(2 + random.below(6)))
      const text = Buffer.from(word(random.below(80)))
      const redactor = new Redactor(scannerOf(...literals))
      const out = [...random.slices(text).map((slice) => Buffer.from(redactor.push(slice))), redactor.end()]
      expect(Buffer.concat(out).toString("latin1")).toBe(starred(text, literals))
    }
  })

  test("passes a chunk without a secret as it is, without a copy", () => {
    const chunk = Buffer.from("data: nothing here\n\n")
    expect(new Redactor(scannerOf("secret")).push(chunk).buffer).toBe(chunk.buffer)
  })

  test("holds back only what may be the beginning of a secret", () => {
    const redactor = new Redactor(scannerOf("secret"))
    expect(redactor.push(Buffer.from("data: sec")).toString()).toBe("data: ")
    expect(redactor.push(Buffer.from("ond\n")).toString()).toBe("second\n")
    expect(redactor.push(Buffer.from("se")).toString()).toBe("")
    expect(redactor.end().toString()).toBe("se")
  })

  test("never lets a byte of a secret go before it is known not to be one", () => {
    const redactor = new Redactor(scannerOf("secret"))
    const out = [..."xsecretx"].map((char) => redactor.push(Buffer.from(char)).toString())
    expect(out.join("")).toBe("x******x")
  })
})

describe("the encodings of a secret", () => {
  test("are found wherever it stands in base64", () => {
    for (let seed = 0; seed < 500; seed++) {
      const random = new Random(seed)
      const secret = random.bytes(12 + random.below(30)).toString("base64")
      const scanner = createScanner(encodingsOf([secret]))
      for (const form of ["base64", "base64url", "hex"] as const) {
        const text = Buffer.concat([random.bytes(random.below(9)), Buffer.from(secret), random.bytes(random.below(9))])
        let found = 0
        scanner?.scan(Buffer.from(text.toString(form)), () => found++)
        expect(found).toBeGreaterThan(0)
      }
    }
  })

  test("leave out what is too short to mean anything", () => {
    expect(encodingsOf(["", "ab"])).toEqual([])
  })

  test("of user:password hold the password alone", () => {
    expect(encodingsOf(["user:longpassword"]).map(String)).toContain("longpassword")
  })
})

describe("a compressed body", () => {
  const kinds: [name: string, make: () => Transform][] = [
    ["gzip", () => createGzip({ flush: constants.Z_SYNC_FLUSH })],
    ["deflate", () => createDeflateRaw({ flush: constants.Z_SYNC_FLUSH })],
    ["br", () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH })],
  ]
  test.each(kinds)("in %s comes out event by event", async (coding, make) => {
    const encoder = make()
    const body = new DecodedBody(readBody(new ByteSource(encoder), { kind: "close" }), coding)
    for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
      encoder.write(event)
      expect(String(await body.next())).toBe(event)
    }
    encoder.end()
    expect(await body.next()).toBeNull()
    expect(body.complete).toBe(true)
  })

  test.each(["gzip", "br"])("in %s that would fill the memory is taken apart at the reader's pace", async (coding) => {
    const zeros = Buffer.alloc(100 * 1024 * 1024)
    const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }
    const bomb = coding === "br" ? brotliCompressSync(zeros, quick) : gzipSync(zeros)
    const stream = new PassThrough()
    const body = new DecodedBody(readBody(new ByteSource(stream), { kind: "close" }), coding)
    Bun.gc(true)
    const before = process.memoryUsage.rss()
    stream.end(bomb)
    let size = (await body.next())?.length ?? 0
    // Time enough to run ahead of a reader that has stopped.
    for (let turn = 0; turn < 2_000; turn++) await new Promise(setImmediate)
    expect(process.memoryUsage.rss() - before).toBeLessThan(60 * 1024 * 1024)
    for (let chunk = await body.next(); chunk !== null; chunk = await body.next()) size += chunk.length
    expect(size).toBe(zeros.length)
  })

  test.each(["gzip", "br", "deflate"])("in %s that is cut short or none is broken", async (coding) => {
    const whole = coding === "br" ? brotliCompressSync(Buffer.alloc(5000, "abc")) : gzipSync(Buffer.alloc(5000, "abc"))
    for (const bytes of [whole.subarray(0, -3), Buffer.from("not compressed at all")]) {
      const stream = new PassThrough()
      const body = new DecodedBody(readBody(new ByteSource(stream), { kind: "close" }), coding)
      stream.end(bytes)
      const readAll = async () => {
        while ((await body.next()) !== null);
      }
      await expect(readAll()).rejects.toThrow()
    }
  })
})

describe("a set of secrets", () => {
  test("masks every string of an event, in any depth, and keeps the rest", () => {
    const secrets = new SecretSet({ A: "first-secret" })
    secrets.update({ A: "second-secret", B: "" })
    expect(secrets.mask({ a: ["x first-secret"], b: { c: "second-secret", n: 1 } })).toEqual({
      a: ["x ************"],
      b: { c: "*************", n: 1 },
    })
    expect([secrets.valueOf("A"), secrets.valueOf("B"), secrets.valueOf("C")]).toEqual([
      "second-secret",
      undefined,
      undefined,
    ])
  })

  test("keeps text that is not ASCII whole", () => {
    expect(redactText(scannerOf("secret"), "grüße secret 日本", "utf8")).toBe("grüße ****** 日本")
  })
})

describe("frames from a server", () => {
  const frame = (payload: Buffer, first = 0x81) => {
    const { length } = payload
    const head = length < 126 ? [first, length] : [first, 126, length >> 8, length & 255]
    return Buffer.concat([Buffer.from(head), payload])
  }

  /** Messages and control frames of a wire, in order of their ends: opcode and payload. */
  const messagesOf = (wire: Buffer) => {
    const messages: [opcode: number, payload: string][] = []
    let open: [opcode: number, parts: Buffer[]] | undefined
    for (let at = 0; at < wire.length; ) {
      const [first, short] = [wire[at]!, wire[at + 1]!]
      const length = short < 126 ? short : wire.readUInt16BE(at + 2)
      at += short < 126 ? 2 : 4
      const payload = wire.subarray(at, at + length)
      at += length
      if (first & 0x08) {
        messages.push([first & 0x0f, payload.toString("latin1")])
        continue
      }
      expect(first & 0x0f).toBe(open === undefined ? 1 : 0)
      open ??= [first & 0x0f, []]
      open[1].push(payload)
      if (first & 0x80) {
        messages.push([open[0], Buffer.concat(open[1]).toString("latin1")])
        open = undefined
      }
    }
    return messages
  }

  test("carry the same messages without secrets, also in several fragments and around control frames, however cut", () => {
    for (let seed = 0; seed < 500; seed++) {
      const random = new Random(seed)
      const wire: Buffer[] = []
      const expected: [number, string][] = []
      for (let count = 0; count < 3; count++) {
        const parts = Array.from({ length: 3 }, () =>
          random.pick(["", "a secret b", "se", "cret", "x".repeat(300), "ends with secre", "tt", "secretsecret"]),
        )
        for (const [at, part] of parts.entries()) {
          const final = at === parts.length - 1 ? 0x80 : 0
          wire.push(frame(Buffer.from(part), final | (at === 0 ? 1 : 0)))
          if (final === 0 && random.pick([true, false])) {
            wire.push(frame(Buffer.from("a secret ping"), 0x89))
            expected.push([9, "a ****** ping"])
          }
        }
        expected.push([1, parts.join("").replaceAll("secret", "******")])
      }
      const frames = new FrameRedactor(scannerOf("secret"))
      const out = random.slices(Buffer.concat(wire)).map((slice) => Buffer.from(frames.push(slice)))
      expect(messagesOf(Buffer.concat(out))).toEqual(expected)
    }
  })

  test("that fill one message hold nothing back at its end", () => {
    const frames = new FrameRedactor(scannerOf("secret"))
    expect(messagesOf(frames.push(frame(Buffer.from("ends with secre"))))).toEqual([[1, "ends with secre"]])
  })

  test("of an extension nobody agreed on are an error", () => {
    expect(() => new FrameRedactor(scannerOf("secret")).push(Buffer.from([0xc1, 0x01]))).toThrow()
  })

  test("that are masked are an error", () => {
    expect(() => new FrameRedactor(scannerOf("secret")).push(Buffer.from([0x81, 0x81]))).toThrow()
  })
})

test.each([
  ["gzip, zstd;q=1, br;q=0.5", "gzip, br;q=0.5"],
  ["zstd", "identity"],
  ["*", "identity"],
  ["identity;q=0, deflate", "identity;q=0, deflate"],
])("Accept-Encoding %p is cut to %p", (value, cut) => {
  expect(cutAcceptEncoding(value)).toBe(cut)
})

test.each([
  [[], undefined],
  [["identity"], undefined],
  [["br"], "br"],
  [["zstd"], "unknown"],
  [["gzip", "br"], "unknown"],
])("codings %p are %p", (codings, coding) => {
  expect(codingOf(codings as string[])).toBe(coding as never)
})

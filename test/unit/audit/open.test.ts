import { describe, expect, test } from "bun:test"
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs"
import { join } from "node:path"
import { fact } from "../../support/audit/fact.ts"
import { auditPlaces } from "../../support/audit/place.ts"

const makeAudit = auditPlaces("audit-open")

/** What is written, by whom it is gone on with, and what a full disk or a killed writer leaves. */

describe("the pen", () => {
  test("numbers and chains entries, over all its openings", async () => {
    const place = makeAudit()
    const first = place.pen("a-11111")
    const one = await first.append(fact("start"))
    await first.close()
    const two = await place.pen("a-11111").append(fact("resume"))
    expect([one.seq, two.seq, two.prev_hash]).toEqual([1, 2, one.hash])
    expect(place.entries("a-11111")).toEqual([one, two])
  })

  test("makes one key, however many begin at once, that only its owner reads", async () => {
    const place = makeAudit()
    const slugs = Array.from({ length: 8 }, (_, n) => `a-0000${n}`)
    await Promise.all(slugs.map((slug) => place.pen(slug).append(fact("start"))))
    const heads = place.lines("head").map((line) => JSON.parse(line) as { key: string; head_seq: number })
    expect(new Set(heads.map(({ key }) => key)).size).toBe(1)
    expect(heads.map(({ head_seq }) => head_seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(readdirSync(place.paths.keys)).toEqual(["audit.ed25519", "audit.pub"])
    expect(statSync(join(place.paths.keys, "audit.ed25519")).mode & 0o777).toBe(0o600)
  })

  test("refuses a key that others may read, and says how to mend it", async () => {
    const place = makeAudit()
    await place.write("a-11111", "start")
    chmodSync(join(place.paths.keys, "audit.ed25519"), 0o644)
    await expect(place.pen("b-11111").append(fact("start"))).rejects.toThrow("other users may read it")
  })

  test("writes nothing and makes nothing before its first entry", async () => {
    const place = makeAudit()
    await place.pen("a-11111").close()
    expect(existsSync(place.paths.audit)).toBe(false)
    expect(existsSync(place.paths.keys)).toBe(false)
  })

  for (const slug of ["../x", "head", "", "A", "a/b"]) {
    test(`takes no bottle named ${JSON.stringify(slug)}`, async () => {
      await expect(makeAudit().pen(slug).append(fact("start"))).rejects.toThrow("no bottle has this name")
    })
  }

  test("cuts an endless text and says how much", async () => {
    const place = makeAudit()
    const entry = await place.pen("a-11111").append({ ...fact("start"), justification: "j".repeat(10_000_000) })
    expect(entry.justification).toEndWith("…(+9868928)")
  })
})

describe("what a killed writer left", () => {
  test("a torn line is moved aside and put on record, at every length", async () => {
    const place = makeAudit()
    const [whole] = await place.write("a-11111", "start", "proof")
    const text = readFileSync(place.log("a-11111"))
    const next = Buffer.from(`${place.lines("a-11111")[1]}\n`)
    for (let length = 1; length < next.length; length += 37) {
      const copy = makeAudit()
      await copy.write("a-11111", "start")
      const good = readFileSync(copy.log("a-11111"))
      appendFileSync(copy.log("a-11111"), next.subarray(0, length))
      const [repair, after] = [await copy.write("a-11111", "resume"), copy.entries("a-11111")]
      expect(after.map(({ operator_action }) => operator_action)).toEqual(["start", "repair", "resume"])
      expect(repair[0]?.seq).toBe(3)
      expect(after[1]?.detail?.torn_bytes).toBe(length)
      expect(readFileSync(copy.log("a-11111")).subarray(0, good.length)).toEqual(good)
      const aside = readdirSync(copy.paths.audit).filter((name) => name.includes(".torn-"))
      expect(readFileSync(join(copy.paths.audit, aside[0] ?? ""))).toEqual(next.subarray(0, length))
    }
    expect(whole?.seq).toBe(1)
    expect(text.length).toBeGreaterThan(next.length)
  })

  test("a line without its head gets it", async () => {
    const place = makeAudit()
    await place.write("a-11111", "start", "proof")
    const heads = place.lines("head")
    truncateSync(place.log("head"), Buffer.byteLength(`${heads[0]}\n`))
    await place.write("a-11111", "end")
    expect(place.lines("head").slice(0, 2).map(headSeq)).toEqual([1, 2])
    expect(place.entries("a-11111").map(({ seq }) => seq)).toEqual([1, 2, 3])
  })
})

const headSeq = (line: string) => (JSON.parse(line) as { seq: number }).seq

describe("a write that fails", () => {
  for (const step of ["log: write", "log: sync", "head: write", "head: sync"]) {
    test(`at "${step}" leaves no entry, and the next one is written`, async () => {
      const place = makeAudit()
      await place.write("a-11111", "start")
      let armed = true
      const pen = place.pen("a-11111", async (name, change) => {
        if (name !== step || !armed) return change()
        armed = false
        if (!name.endsWith("write")) await change()
        throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" })
      })
      await expect(pen.append(fact("proof"))).rejects.toThrow("no space")
      expect(place.entries("a-11111").map(({ operator_action }) => operator_action)).toEqual(["start"])
      expect((await pen.append(fact("end"))).seq).toBe(2)
      expect(place.lines("head").map(headSeq)).toEqual([1, 2])
    })
  }

  test("does not undo what others wrote meanwhile", async () => {
    const place = makeAudit()
    await Promise.all(["a-11111", "b-11111", "c-11111"].map((slug) => place.write(slug, "start", "proof", "end")))
    expect(place.lines("head").length).toBe(9)
    rmSync(place.paths.home, { recursive: true })
  })
})

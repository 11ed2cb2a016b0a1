import { createPrivateKey } from "node:crypto"
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from "node:fs"
import { join } from "node:path"
import { seal } from "../../src/audit/line.ts"
import { verifyAudit } from "../../src/audit/verify/verify.ts"
import { fact } from "../support/audit/fact.ts"
import { auditAt } from "../support/audit/place.ts"
import { signerOf } from "../support/audit/tamper.ts"
import type { Bench } from "./bench.ts"

const bench: Bench = {
  name: "audit",
  summary: "an entry written and synced; a large log verified",
  async run({ quick, scratch, say }) {
    mkdirSync(scratch, { recursive: true })
    const place = auditAt(join(scratch, "audit"))
    const rounds = quick ? 50 : 500
    say(`appending ${rounds} entries`)
    const pen = place.pen("bench-00000")
    const times: number[] = []
    for (let n = 0; n < rounds; n += 1) {
      const startedAt = performance.now()
      await pen.append(fact("approve", { justification: "because it is needed", diff: "-a\n+b\n".repeat(50) }))
      times.push(performance.now() - startedAt)
    }
    await pen.close()
    times.sort((a, b) => a - b)
    const megabytes = quick ? 100 : 1000
    say(`making a log of ${megabytes} MB`)
    const entries = growLog(place, megabytes * 1e6)
    say("verifying it")
    const before = process.memoryUsage().rss
    const startedAt = performance.now()
    const wish = { paths: place.paths, slug: undefined, publicKey: undefined }
    const findings = (await Array.fromAsync(verifyAudit(wish))).flatMap((report) => report.findings)
    const seconds = (performance.now() - startedAt) / 1000
    const grown = (process.memoryUsage().rss - before) / 1e6
    if (findings.length > 0) throw new Error(`the log is not good: ${findings[0]?.text}`)
    const size = (statSync(place.log("big-00000")).size + statSync(place.log("head")).size) / 1e6
    return {
      method: `Entries of about 1 KB, one after the other, each synced twice (log and head); the verified log has ${entries} of them and one head line each.`,
      findings: [
        {
          what: "one entry, on disk and in the head",
          value: times[times.length >> 1] ?? 0,
          unit: "ms",
          aim: { atMost: 10 },
        },
        { what: "verifying", value: size / seconds, unit: "MB/s", aim: { atLeast: 50 } },
        { what: "memory that verifying takes", value: grown, unit: "MB", aim: { atMost: 200 } },
      ],
      tables: [
        {
          title: "One entry (ms)",
          columns: ["fastest", "median", "slowest of 100"],
          rows: [["append", times[0] ?? 0, times[times.length >> 1] ?? 0, times[Math.floor(times.length * 0.99)] ?? 0]],
        },
      ],
      notes: ["How long a sync takes is the disk's matter."],
    }
  },
}
export default bench

/** Write a log and its heads as a keeper would, without its syncs. Returns the number of entries. */
function growLog(place: ReturnType<typeof auditAt>, bytes: number): number {
  const key = createPrivateKey(readFileSync(join(place.paths.keys, "audit.ed25519")))
  const signer = signerOf(key)
  const last = JSON.parse(place.lines("head").at(-1) ?? "{}") as Record<string, unknown> & { head_seq: number }
  const [log, head] = [openSync(place.log("big-00000"), "a"), openSync(place.log("head"), "a")]
  const content = { ...fact("approve", { diff: "-a\n+b\n".repeat(80) }), bottle_slug: "big-00000", schemaVersion: 1 }
  let [seq, prev, headPrev] = [0, "0".repeat(64), String(last.hash)]
  for (let written = 0; written < bytes; ) {
    seq += 1
    const timestamp = new Date().toISOString()
    const line = seal({ ...content, seq, timestamp, prev_hash: prev }, signer)
    const { signature: _, hash: __, ...rest } = last
    const next = { ...rest, bottle_slug: "big-00000", seq, timestamp, entry_hash: line.hash }
    const entered = seal({ ...next, head_seq: last.head_seq + seq, prev_hash: headPrev }, signer)
    written += writeSync(log, `${line.text}\n`) + writeSync(head, `${entered.text}\n`)
    prev = line.hash
    headPrev = entered.hash
  }
  closeSync(log)
  closeSync(head)
  return seq
}

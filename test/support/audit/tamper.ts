import { generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { seal, sha256 } from "../../../src/audit/line.ts"
import { fact } from "./fact.ts"
import { type AuditPlace, auditAt } from "./place.ts"

/** What an attacker who can write into the audit, but has not its key, does to it. */
export interface Tampering {
  name: string
  /** In what `verify` says of it. */
  says: RegExp
  tamper(place: AuditPlace): void | Promise<void>
}

export const lines = (place: AuditPlace, name: string) => place.lines(name)
export const write = (place: AuditPlace, name: string, all: readonly string[]) =>
  writeFileSync(place.log(name), all.map((line) => `${line}\n`).join(""))
export const edit = (name: string, change: (all: string[]) => string[]) => (place: AuditPlace) =>
  write(place, name, change(lines(place, name)))

/** Every bottle of `sample` has entries 1 to 5; their heads are lines 1 to 5, 6 to 10 and 11 to 15. */
export const slugs = ["a-11111", "b-22222", "c-33333"] as const
export const actions = ["start", "proof", "approve", "refused", "end"] as const

export async function fillSample(place: AuditPlace): Promise<AuditPlace> {
  for (const slug of slugs) await place.write(slug, ...actions)
  return place
}

/** A copy of a sample, in a directory of its own. */
export function copyOf(place: AuditPlace, to: string): AuditPlace {
  const copy = auditAt(to)
  for (const dir of ["audit", "keys"] as const) {
    rmSync(copy.paths[dir], { recursive: true, force: true })
    if (!existsSync(place.paths[dir])) continue
    mkdirSync(copy.paths[dir], { recursive: true, mode: 0o700 })
    for (const name of readdirSync(place.paths[dir]))
      copyFileSync(join(place.paths[dir], name), join(copy.paths[dir], name))
  }
  return copy
}

export function signerOf(key: KeyObject) {
  return { sign: (text: string) => sign(null, Buffer.from(text), key).toString("hex") }
}

/** Write lines again from `from` on (an index), each joined to the one before and signed with this key. */
function rechain(all: readonly string[], from: number, key: KeyObject, change: (line: object) => object = (x) => x) {
  const done = all.slice(0, from)
  for (const line of all.slice(from)) {
    const { signature: _, hash: __, ...content } = JSON.parse(line) as Record<string, unknown>
    const before = done.at(-1)
    const prev_hash = before === undefined ? "0".repeat(64) : (JSON.parse(before) as { hash: string }).hash
    done.push(seal({ ...change(content), prev_hash }, signerOf(key)).text)
  }
  return done
}

const stranger = () => generateKeyPairSync("ed25519").privateKey
const idOf = (key: KeyObject) => Buffer.from(key.export({ format: "jwk" }).x as string, "base64url").toString("hex")
const jsonOf = (line: string) => JSON.parse(line) as Record<string, unknown>

export const tamperings: readonly Tampering[] = [
  {
    name: "a changed line",
    says: /line 3 was changed/,
    tamper: edit("a-11111", (all) => all.map((line, at) => (at === 2 ? line.replace("approve", "reject!") : line))),
  },
  {
    name: "a changed line, chained anew to the end",
    says: /line 3 was changed|line 3 was not written/,
    tamper: (place) => {
      const forge = (line: Record<string, unknown>) => (line.seq === 3 ? { ...line, operator_action: "reject" } : line)
      const all = rechain(lines(place, "a-11111"), 2, stranger(), (line) => forge(line as Record<string, unknown>))
      write(place, "a-11111", all)
    },
  },
  {
    name: "a changed last line",
    says: /line 5 was changed/,
    tamper: edit("b-22222", (all) => [...all.slice(0, 4), (all[4] ?? "").replace('"end"', '"END"')]),
  },
  {
    name: "a removed line",
    says: /entry 3 is missing before line 3/,
    tamper: edit("a-11111", (all) => all.filter((_, at) => at !== 2)),
  },
  {
    name: "the first line removed",
    says: /entry 1 is missing before line 1/,
    tamper: edit("c-33333", (all) => all.slice(1)),
  },
  {
    name: "two lines that changed places",
    says: /entry 2 is missing before line 2|comes after a later one/,
    tamper: edit("a-11111", ([one, two, three, ...more]) => [one, three, two, ...more].map((line) => line ?? "")),
  },
  {
    name: "a line that is there twice",
    says: /is there twice/,
    tamper: edit("a-11111", (all) => [...all.slice(0, 3), all[2] ?? "", ...all.slice(3)]),
  },
  {
    name: "a cut tail",
    says: /entry 5 was cut off/,
    tamper: edit("a-11111", (all) => all.slice(0, 4)),
  },
  {
    name: "a cut tail in the middle of a line",
    says: /entry 5 was cut off/,
    tamper: (place) => {
      const bytes = readFileSync(place.log("a-11111"))
      writeFileSync(place.log("a-11111"), bytes.subarray(0, bytes.length - 100))
    },
  },
  {
    name: "the last line feed cut",
    says: /entry 5 was cut off/,
    tamper: (place) => {
      const bytes = readFileSync(place.log("a-11111"))
      writeFileSync(place.log("a-11111"), bytes.subarray(0, bytes.length - 1))
    },
  },
  {
    name: "a line of somebody else's behind the last",
    says: /line 6 was not written by this installation/,
    tamper: edit("a-11111", (all) => {
      const extra = JSON.stringify({ ...jsonOf(all[4] ?? ""), seq: 6 })
      return rechain([...all, extra], 5, stranger())
    }),
  },
  {
    name: "a line that is no UTF-8, with a hash to fit",
    says: /line 6 was changed: it is no audit line/,
    tamper: async (place) => {
      const heads = lines(place, "head")
      const pen = place.pen("a-11111")
      await pen.append(fact("approve", { justification: "\ufffd" }))
      await pen.close()
      write(place, "head", heads)
      const bytes = readFileSync(place.log("a-11111"))
      const at = bytes.indexOf(Buffer.from("\ufffd"))
      const bad = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xf0, 0x90, 0x80]), bytes.subarray(at + 3)])
      const from = bad.lastIndexOf("\n", bad.length - 2) + 1
      const hashed = Buffer.concat([bad.subarray(from, bad.lastIndexOf(',"hash":"')), Buffer.from("}")])
      bad.write(sha256(hashed), bad.length - 67)
      writeFileSync(place.log("a-11111"), bad)
    },
  },
  {
    name: "a removed log",
    says: /the log is gone; the head knows 5 entries/,
    tamper: (place) => rmSync(place.log("b-22222")),
  },
  {
    name: "an emptied log",
    says: /entries 1 to 5 were cut off/,
    tamper: (place) => writeFileSync(place.log("b-22222"), ""),
  },
  {
    name: "one log in the place of another",
    says: /line 1 is of another bottle's log/,
    tamper: (place) => copyFileSync(place.log("a-11111"), place.log("b-22222")),
  },
  {
    name: "a log that the head does not know",
    says: /entries 1 to 5 are not in the head|line 1 was not written/,
    tamper: (place) => {
      const all = lines(place, "a-11111").map((line) => JSON.stringify({ ...jsonOf(line), bottle_slug: "d-44444" }))
      write(place, "d-44444", rechain(all, 0, stranger()))
    },
  },
  {
    name: "everything signed anew by a foreign key",
    says: /signed by another key/,
    tamper: (place) => {
      const key = stranger()
      const hashes = new Map<string, string>()
      for (const slug of slugs) {
        const all = rechain(lines(place, slug), 0, key, (line) => ({ ...line, operator_notes: "forged" }))
        write(place, slug, all)
        for (const line of all) hashes.set(`${slug} ${jsonOf(line).seq}`, String(jsonOf(line).hash))
      }
      const adjust = (line: object) => {
        const { bottle_slug, seq } = line as { bottle_slug: string; seq: number }
        return { ...line, key: idOf(key), entry_hash: hashes.get(`${bottle_slug} ${seq}`) }
      }
      write(place, "head", rechain(lines(place, "head"), 0, key, adjust))
    },
  },
  {
    name: "the same, said to be by the right key",
    says: /the head is not signed by this installation's key/,
    tamper: (place) => write(place, "head", rechain(lines(place, "head"), 14, stranger())),
  },
  {
    name: "another key in the key's place",
    says: /not the public half|signed by another key/,
    tamper: (place) =>
      writeFileSync(join(place.paths.keys, "audit.ed25519"), stranger().export({ type: "pkcs8", format: "pem" })),
  },
  {
    name: "a head line removed",
    says: /entry 7 is missing before line 7|lines for entries/,
    tamper: edit("head", (all) => all.filter((_, at) => at !== 6)),
  },
  {
    name: "head lines that changed places",
    says: /missing before line|comes after a later one/,
    tamper: edit("head", (all) => [...all.slice(0, 3), all[4] ?? "", all[3] ?? "", ...all.slice(5)]),
  },
  {
    name: "a cut head",
    says: /entries 4 to 5 are not in the head/,
    tamper: edit("head", (all) => all.slice(0, 13)),
  },
  {
    name: "a log and its heads cut alike, in the middle of the head",
    says: /missing before line/,
    tamper: (place) => {
      edit("b-22222", (all) => all.slice(0, 3))(place)
      edit("head", (all) => all.filter((_, at) => at !== 8 && at !== 9))(place)
    },
  },
  { name: "a removed head", says: /head.jsonl is gone/, tamper: (place) => rmSync(place.log("head")) },
  {
    name: "everything removed but the keys",
    says: /head.jsonl is gone/,
    tamper: (place) => rmSync(place.paths.audit, { recursive: true }),
  },
  {
    name: "a cut tail that a keeper went on from",
    says: /entry 5 is missing before line 5/,
    tamper: async (place) => {
      edit("a-11111", (all) => all.slice(0, 4))(place)
      await place.write("a-11111", "resume")
    },
  },
  {
    name: "a removed log that a keeper went on from",
    says: /begun again at entry 1|missing before line 1/,
    tamper: async (place) => {
      rmSync(place.log("a-11111"))
      await place.write("a-11111", "resume")
    },
  },
  {
    name: "a forged head that a keeper went on from",
    says: /begins anew at line 16/,
    tamper: async (place) => {
      write(place, "head", rechain(lines(place, "head"), 10, stranger()))
      await place.write("a-11111", "resume")
    },
  },
  {
    name: "a forged line that a keeper went on from",
    says: /line 6 was not written by this installation/,
    tamper: async (place) => {
      edit("a-11111", (all) => rechain([...all, JSON.stringify({ ...jsonOf(all[4] ?? ""), seq: 6 })], 5, stranger()))(
        place,
      )
      await place.write("a-11111", "resume")
    },
  },
  {
    name: "a key that was replaced and a keeper that went on",
    says: /signed by another key/,
    tamper: async (place) => {
      rmSync(join(place.paths.keys, "audit.ed25519"))
      await place.write("a-11111", "resume")
    },
  },
  {
    name: "torn bytes that were set aside and changed",
    says: /torn bytes that line 6 tells of were changed/,
    tamper: async (place) => {
      writeFileSync(place.log("a-11111"), `${lines(place, "a-11111").join("\n")}\n{"torn`)
      await place.write("a-11111", "resume")
      const name = readdirSync(place.paths.audit).find((one) => one.includes(".torn-")) ?? ""
      writeFileSync(join(place.paths.audit, name), '{"TORN')
    },
  },
]

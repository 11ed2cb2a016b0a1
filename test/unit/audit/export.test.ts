import { describe, expect, test } from "bun:test"
import { cefHeader, cefLine, cefValue } from "../../../src/audit/export/cef.ts"
import { csvField, csvHeader, csvLine } from "../../../src/audit/export/csv.ts"
import { ocsfLine } from "../../../src/audit/export/ocsf.ts"
import type { AuditEntry } from "../../../src/audit/types.ts"

const entry: AuditEntry = {
  schemaVersion: 1,
  seq: 7,
  timestamp: "2026-11-21T10:00:00.500Z",
  bottle_slug: "claude-x7k2p",
  component: "egress",
  operator_action: "approve",
  operator_notes: "ok, for today",
  justification: "I need it",
  diff: "",
  prev_hash: "a".repeat(64),
  signature: "b".repeat(128),
  hash: "c".repeat(64),
}
const hostile = [
  `=HYPERLINK("http://evil","x")`,
  "+1",
  "-1+cmd|'/C calc'!A0",
  "@SUM(A1)",
  "\t=1",
  "\r=1",
  "\n=1",
  " =1",
  "＝1",
  "\u200b=1",
]

describe("CSV", () => {
  for (const text of hostile) {
    test(`a spreadsheet takes ${JSON.stringify(text)} for text`, () => {
      expect(csvField(text)).toMatch(/^"'/)
    })
  }

  test("is RFC 4180: fields quoted, quotes doubled, lines as they are, CR LF at the end", () => {
    const [row, ...more] = parseCsv(csvLine({ ...entry, justification: 'say "hi", then\nleave;' }))
    expect(more).toEqual([])
    expect(row?.[6]).toBe('say "hi", then\nleave;')
    expect(row?.length).toBe(parseCsv(csvHeader)[0]?.length)
    expect(csvLine(entry)).toEndWith("\r")
  })

  test("shows what cannot be seen", () => {
    expect(csvField("a\u202eb\u001b[31m")).toBe('"a<U+202E>b␛[31m"')
  })
})

/** A reader of RFC 4180, written from its grammar. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  for (const record of text.split(/\r\n?(?=(?:[^"]*"[^"]*")*[^"]*$)/).filter(Boolean)) {
    const fields = [...record.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)]
    rows.push(fields.map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? ""))
  }
  return rows
}

describe("CEF", () => {
  test("escapes a bar and a backslash in the header, and nothing more", () => {
    expect(cefHeader("a|b\\c=d")).toBe("a\\|b\\\\c=d")
    expect(cefHeader("a\nb\rc")).not.toMatch(/[\r\n]/)
  })

  test("escapes an equals sign, a backslash and line breaks in a value, and no bar", () => {
    expect(cefValue("a=b\\c\nd|e")).toBe("a\\=b\\\\c\\nd|e")
  })

  test("gives back what went in, whatever an agent wrote", () => {
    const justification = "x=1 cs1=forged|CEF:0|evil\\ act=approve\nrt=0 msg=\\"
    const { header, values } = parseCef(cefLine({ ...entry, justification, operator_action: "a|b\\=c" }))
    expect(header.slice(0, 3)).toEqual(["CEF:0", "bot-bottle", "bottle"])
    expect(header[4]).toBe("egress:a|b\\=c")
    expect(header[6]).toMatch(/^(10|[0-9])$/)
    expect(values).toMatchObject({
      cs1: "claude-x7k2p",
      cs2: justification,
      act: "a|b\\=c",
      rt: "1795255200500",
      cn1: "7",
    })
  })

  test("keeps to the lengths of its dictionary and to one line", () => {
    const line = cefLine({ ...entry, justification: "j\n".repeat(9000), operator_notes: "n".repeat(5000) })
    const { values } = parseCef(line)
    expect(values.cs2?.length).toBeLessThanOrEqual(4000)
    expect(values.msg?.length).toBeLessThanOrEqual(1023)
    expect(line).not.toMatch(/[\r\n]/)
  })
})

/** A reader of CEF, written from its rules: seven fields of header, then key=value where an unescaped = ends a key. */
function parseCef(line: string): { header: string[]; values: Record<string, string> } {
  const parts = line.match(/(?:[^|\\]|\\.)*(?:\||$)/g) ?? []
  const header = parts.slice(0, 7).map((part) => part.replace(/\|$/, "").replaceAll(/\\([\\|])/g, "$1"))
  const extension = line.slice(parts.slice(0, 7).join("").length)
  const keys = [...extension.matchAll(/(?:^| )([A-Za-z0-9_.]+)(?<!\\)=/g)]
  const values = keys.map((key, at) => {
    const raw = extension.slice((key.index ?? 0) + key[0].length, keys[at + 1]?.index)
    return [key[1], raw.replaceAll(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c === "r" ? "\r" : c))]
  })
  return { header, values: Object.fromEntries(values) as Record<string, string> }
}

describe("OCSF", () => {
  /** What OCSF 1.3.0 demands of class 3004, Entity Management, and of the objects in it. */
  const required = ["activity_id", "category_uid", "class_uid", "entity", "metadata", "severity_id", "time", "type_uid"]
  const activityIds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99]
  const actions = [
    "start",
    "resume",
    "proof",
    "approve",
    "reject",
    "undo",
    "expire",
    "end",
    "stop",
    "destroy",
    "closed",
  ]

  for (const operator_action of [...actions, "refused", "launch-failed", "toString", "something new"]) {
    test(`has all that is required for ${operator_action}`, () => {
      const event = JSON.parse(ocsfLine({ ...entry, operator_action })) as Record<string, unknown>
      for (const key of required) expect(event).toHaveProperty(key)
      expect(event).toMatchObject({ category_uid: 3, class_uid: 3004, time: 1795255200500 })
      expect(activityIds).toContain(event.activity_id as number)
      expect(event.type_uid).toBe(300400 + (event.activity_id as number))
      expect([0, 1, 2, 3, 4, 5, 6, 99]).toContain(event.severity_id as number)
      expect(event.activity_name).toBeString()
      expect(event.metadata).toMatchObject({ version: "1.3.0", product: { vendor_name: "bot-bottle" }, sequence: 7 })
      expect(event.entity).toMatchObject({ uid: "claude-x7k2p", name: "claude-x7k2p" })
    })
  }

  test("holds foreign text as data, with nothing that a terminal acts on", () => {
    const line = ocsfLine({ ...entry, justification: '"}\u001b]52;c;x\u0007\u202e\n{' })
    expect(line).toMatch(/^[\x20-\x7e]*$/)
    expect((JSON.parse(line) as { unmapped: { justification: string } }).unmapped.justification).toBe(
      '"}\u001b]52;c;x\u0007\u202e\n{',
    )
  })
})

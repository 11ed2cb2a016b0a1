import { expect, test } from "bun:test"
import { readLayer } from "../../../src/manifest/resolve/layer.ts"
import { formatDiagnostic } from "../../../src/manifest/source/diagnose.ts"
import { readDocument } from "../../../src/manifest/source/document.ts"
import { splitFrontmatter } from "../../../src/manifest/source/frontmatter.ts"
import { starterBottle } from "../../../src/manifest/starter.ts"

const context = {
  path: "/h/bottles/dev.md",
  display: "bottles/dev.md",
  userHome: "/u",
  bottleHome: "/h",
  host: { realpath: (path: string) => path, kind: () => "directory" as const, list: () => [] },
}

const full = `---
extends: [a, b]
env: { A: "?", B: \${C}, D: 1.5 }
agent_provider: { template: claude, auth_token: T, settings: { a: &x [1, { b: c }], d: *x } }
egress:
  log: 2
  upstream_proxy: http://p.example:1
  routes:
    - { host: "*.a.example", path_allowlist: [/a], allow_private: true, connect_to: 127.0.0.1:1, ca: x.pem }
    - host: b.example
      auth: { scheme: "header:X-Y", token_ref: T }
      matches:
        - { paths: [{ type: regex, value: "/a+" }], methods: [GET], headers: [{ name: A, value: b }] }
pipelock: { allowlist: [c.example], dlp: { a: 1 } }
git-gate: { user: { name: N, email: e@x }, repos: { r: { url: u, more: [1] } } }
supervise: false
namespace: { binds: [/data, "/a:/b:rw", { source: /c, readonly: false }] }
limits: { memory: 2g, cpus: 1, pids: 99, disk: 1g, wall_clock: 1h }
---
`

/** mulberry32: the same mutations at every run. */
function randomFrom(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const pieces = [
  ..."[]{}:,-?&*!|>'\"%@`#\n\t \r\0\x1b",
  "__proto__",
  "null",
  "~",
  "[[",
  "- ",
  ": ",
  "\u202e",
  "1e999",
  ".nan",
  "*x",
  "&x ",
  "!!set ",
  "<<: ",
  "---\n",
  "host",
  "\ud800",
]

function mutate(text: string, random: (below: number) => number): string {
  let changed = text
  for (let count = 1 + random(3); count > 0; count -= 1) {
    const at = random(changed.length)
    const end = random(2) === 0 ? at : at + random(12)
    changed = changed.slice(0, at) + (pieces[random(pieces.length)] ?? "") + changed.slice(end)
  }
  return changed
}

test("whatever is done to a file, it is read or refused with a place in it, and never throws", () => {
  let refused = 0
  for (let seed = 1; seed <= 1500; seed += 1) {
    const text = mutate(seed % 4 === 0 ? starterBottle("/s") : full, randomFrom(seed))
    const lines = text.split("\n").length
    try {
      const split = splitFrontmatter(text)
      if ("message" in split) continue
      const document = readDocument(split.yaml, { firstLine: split.yamlLine, textUnder: ["env"] })
      const result = readLayer(document, context)
      if (result.kind === "ok") continue
      refused += 1
      expect(result.problems.length).toBeGreaterThan(0)
      for (const { place, path, message } of result.problems) {
        const line = formatDiagnostic({ file: "dev.md", ...place, path, message })
        if (place.line > lines || place.line < 1 || place.col < 1) throw new Error(`a place outside the file: ${line}`)
        if (/[\p{Cc}\p{Cf}]/u.test(line) || /undefined|\[object|Invalid/.test(line))
          throw new Error(`a bad line: ${line}`)
      }
    } catch (cause) {
      throw new Error(`seed ${seed}: ${JSON.stringify(text)}`, { cause })
    }
  }
  expect(refused).toBeGreaterThan(300)
})

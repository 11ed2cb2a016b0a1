import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { unifiedDiff } from "../../../src/lib/unified-diff.ts"
import { randomFrom } from "../policy/request.ts"

test("the same text has no diff", () => {
  expect(unifiedDiff("x", "a\n", "a\n")).toBe("")
})

test("shows what went and what came, with three lines around it", () => {
  expect(unifiedDiff("f", "1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nfive\n6\n7\n8\n")).toBe(
    "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n",
  )
})

test("patch, another program, makes the new text of the old one and a diff", () => {
  if (Bun.which("patch") === null) return console.log("skipped: no patch on this machine")
  const dir = mkdtempSync(join(tmpdir(), "diff-"))
  const random = randomFrom(7)
  try {
    for (let round = 0; round < 60; round++) {
      const lines = Array.from({ length: random.below(30) }, () => `line ${random.below(6)}`)
      const changed = lines.flatMap((line) =>
        random.below(5) === 0 ? [] : random.below(5) === 0 ? [line, "new"] : [line],
      )
      const [before, after] = [lines, changed].map((all) => all.map((line) => `${line}\n`).join(""))
      const diff = unifiedDiff("f", before!, after!)
      if (diff === "") continue
      writeFileSync(join(dir, "f"), before!)
      const run = Bun.spawnSync(["patch", "-s", "-o", "-", join(dir, "f")], {
        stdin: Buffer.from(diff),
        env: process.env,
      })
      expect(run.stdout.toString()).toBe(after!)
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

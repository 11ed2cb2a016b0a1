import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readJsonFile, writeFileAtomic, writeJsonFile } from "../../../src/lib/atomic-file.ts"

const dir = mkdtempSync(join(tmpdir(), "bottle-atomic-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test("a file is replaced whole, private, and no temporary name is left", async () => {
  const path = join(dir, "a")
  writeFileSync(path, "old", { mode: 0o644 })
  await writeFileAtomic(path, "new")
  expect(readFileSync(path, "utf8")).toBe("new")
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(dir).filter((name) => name.endsWith(".tmp"))).toEqual([])
})

test("a failed write leaves the old file and no temporary name", async () => {
  const path = join(dir, "taken")
  await writeFileAtomic(join(dir, "taken-child"), "x")
  await expect(writeFileAtomic(join(dir, "missing", "file"), "x")).rejects.toThrow("ENOENT")
  await writeFileAtomic(path, "kept")
  const bad = { toString: () => "x" } as unknown as string
  await expect(writeFileAtomic(path, bad)).rejects.toThrow()
  expect(readFileSync(path, "utf8")).toBe("kept")
  expect(readdirSync(dir).filter((name) => name.endsWith(".tmp"))).toEqual([])
})

test("JSON comes back as it went", async () => {
  const path = join(dir, "v.json")
  await writeJsonFile(path, { a: [1, "ü"] })
  expect(await readJsonFile(path)).toEqual({ kind: "read", value: { a: [1, "ü"] } })
})

test("a missing file is a value", async () => {
  expect(await readJsonFile(join(dir, "none.json"))).toEqual({ kind: "missing" })
})

test("a file that does not parse is moved aside and kept", async () => {
  const path = join(dir, "broken.json")
  writeFileSync(path, "{")
  const read = await readJsonFile(path, () => new Date(0))
  expect(read.kind).toBe("moved")
  expect(readFileSync(`${path}.broken-1970-01-01T00-00-00-000Z`, "utf8")).toBe("{")
  expect(await readJsonFile(path)).toEqual({ kind: "missing" })
})

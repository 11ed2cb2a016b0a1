import { describe, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type LiveRow, RowFile, readRow } from "../../../src/bottle/keeper/row/row-file.ts"
import { processOf, type Whereabouts } from "../../../src/bottle/keeper/whereabouts.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"

const root = tempDir("row")
const here: Whereabouts = {
  ...{ pid: process.pid, startTime: processOf(process.pid).startTime },
  ...{ socket: "/run/x/keeper.sock", phase: "keeping" },
}
const make = () => {
  const dir = mkdtempSync(join(root, "r-"))
  const row: LiveRow = { state: "idle", degraded: false, sidecars: [], refused: 0 }
  return { dir, row, file: new RowFile(dir, () => row) }
}

describe("a keeper's row", () => {
  test("is not there before anything was said", () => {
    expect(readRow(make().dir, here)).toBeUndefined()
  })

  test("tells of refusals soon, of many together", async () => {
    const { dir, row, file } = make()
    file.changed()
    expect(readRow(dir, here)).toEqual(row)
    for (row.refused = 1; row.refused < 500; row.refused += 1) file.changed()
    expect(readRow(dir, here)?.refused).toBeLessThan(500)
    expect(await waitFor("the last", () => readRow(dir, here)?.refused === 500 && readRow(dir, here))).toEqual(row)
    expect(readdirSync(dir)).toEqual(["row.json"])
  })

  test("tells of anything else at once", () => {
    const { dir, row, file } = make()
    for (const state of ["starting", "idle", "running", "idle"] as const) {
      row.state = state
      file.changed()
      expect(readRow(dir, here)).toEqual(row)
    }
    row.degraded = true
    row.refused = 3
    file.changed()
    expect(readRow(dir, here)).toEqual(row)
  })

  test("counts for the process that wrote it, and for no other that has its number or its bottle", () => {
    const { dir, file } = make()
    file.changed()
    expect(readRow(dir, undefined)).toBeUndefined()
    expect(readRow(dir, { ...here, startTime: "1" })).toBeUndefined()
    expect(readRow(dir, { ...here, pid: process.ppid })).toBeUndefined()
  })

  test("is nothing to go by once its process is stopped or dead", async () => {
    const { dir, file } = make()
    file.changed()
    const child = Bun.spawn(["sleep", "1000"], { stdio: ["ignore", "ignore", "ignore"] })
    const there = { ...here, pid: child.pid, startTime: processOf(child.pid).startTime }
    const text = readFileSync(join(dir, "row.json"), "utf8")
    writeFileSync(join(dir, "row.json"), JSON.stringify({ ...JSON.parse(text), ...there }))
    expect(readRow(dir, there)).toBeDefined()
    child.kill("SIGSTOP")
    await waitFor("the stop", () => readRow(dir, there) === undefined)
    child.kill("SIGKILL")
    await child.exited
    expect(readRow(dir, there)).toBeUndefined()
  })

  test("that is damaged, or could not be written, is none", () => {
    const { dir, row, file } = make()
    writeFileSync(join(dir, "row.json"), '{"pid":')
    expect(readRow(dir, here)).toBeUndefined()
    file.changed()
    rmSync(dir, { recursive: true })
    row.refused = 7
    expect(() => file.changed()).not.toThrow()
    expect(readRow(dir, here)).toBeUndefined()
  })
})

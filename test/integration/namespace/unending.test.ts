import { afterAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { markProcess } from "../../../src/backends/namespace/host-processes.ts"
import type { NamespaceRecord } from "../../../src/backends/namespace/record.ts"
import { endBottle } from "../../../src/backends/namespace/running.ts"
import { requirePart } from "../../support/require.ts"
import { waitFor } from "../../support/wait.ts"

/** A process that is frozen ends only once it is thawed, however it was killed: of version 1 of control groups alone. */
const group = `/sys/fs/cgroup/freezer/bot-bottle-test-${process.pid}`
const here = requirePart("root") && existsSync("/sys/fs/cgroup/freezer/tasks")
if (!here) console.error("skipped: no freezer control group of ours")

describe.skipIf(!here)("a process that does not end", () => {
  afterAll(async () => {
    writeFileSync(join(group, "freezer.state"), "THAWED")
    await waitFor("the group's end", () => {
      try {
        rmdirSync(group)
        return true
      } catch {
        return false
      }
    })
  })

  test("is an error that names it, and is ended by the next attempt that can", async () => {
    const child = Bun.spawn(["sleep", "98764"], { env: {} })
    mkdirSync(group)
    writeFileSync(join(group, "cgroup.procs"), String(child.pid))
    writeFileSync(join(group, "freezer.state"), "FROZEN")
    const mark = markProcess(child.pid)
    if (mark === undefined) throw new Error("no process")
    const record: NamespaceRecord = {
      ...{ backend: "namespace", slug: "dev-1", phase: "running", runtimeDir: "/nonexistent", marker: "dev-1/none" },
      ...{ agent: mark, sidecars: null, cgroups: [], limits: [] },
    }
    await expect(endBottle(record, 300)).rejects.toThrow(`processes were killed and do not end (${child.pid})`)
    writeFileSync(join(group, "freezer.state"), "THAWED")
    await endBottle(record)
    expect(child.killed || (await child.exited) !== 0).toBe(true)
  })
})

import { afterAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  countsPerNamespace,
  findCgroups,
  holdLimits,
  missingControllers,
} from "../../../../src/backends/namespace/cgroups.ts"

const root = mkdtempSync(join(tmpdir(), "bottle-cgroups-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function tree(files: Record<string, string>): string {
  const base = mkdtempSync(join(root, "t"))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(base, path, ".."), { recursive: true })
    writeFileSync(join(base, path), text)
  }
  return base
}

const limits = { memory: 1 << 30, cpus: 1.5, pids: 100, disk: 1 }

describe("control groups, version 1", () => {
  const base = tree({ "memory/own/x": "", "cpu/x": "", "pids/x": "" })
  const mountinfo = ["memory", "cpu", "pids"]
    .map((name) => `1 0 0:1 / ${base}/${name} rw - cgroup cgroup rw,${name}`)
    .join("\n")
  const own = "3:pids:/gone\n2:memory:/own\n1:cpu:/\n"

  test("are made below our own, or at the mount where ours is not visible", () => {
    const host = findCgroups({ mountinfo, own })
    expect(host).toEqual({
      memory: { version: 1, parent: `${base}/memory/own` },
      cpu: { version: 1, parent: `${base}/cpu` },
      pids: { version: 1, parent: `${base}/pids` },
    })
    const held = holdLimits(limits, "dev", host, true)
    const written = (path: string) => readFileSync(join(base, path), "utf8")
    expect(written("memory/own/bot-bottle-dev/memory.limit_in_bytes")).toBe("1073741824")
    expect(written("cpu/bot-bottle-dev/cpu.cfs_quota_us")).toBe("150000")
    expect(written("pids/bot-bottle-dev/pids.max")).toBe("100")
    expect(held.reports.filter((report) => report.enforced).map((report) => report.limit)).toEqual([
      "memory",
      "cpus",
      "pids",
      "disk",
    ])
    expect(held.groups.every((group) => group.endsWith("/bot-bottle-dev"))).toBe(true)
  })
})

describe("control groups, version 2", () => {
  const base = tree({
    "user/app/cgroup.procs": "",
    "user/app/cgroup.subtree_control": "memory pids",
    "user/app/shell/cgroup.procs": "",
    "user/app/shell/cgroup.subtree_control": "",
  })
  const mountinfo = `1 0 0:1 / ${base} rw - cgroup2 cgroup2 rw`

  test("are made in the nearest ancestor that hands the controller down", () => {
    const host = findCgroups({ mountinfo, own: "0::/user/app/shell\n" })
    expect(host).toEqual({
      memory: { version: 2, parent: `${base}/user/app` },
      pids: { version: 2, parent: `${base}/user/app` },
    })
    expect(missingControllers(host)).toEqual(["cpus"])
    const held = holdLimits(limits, "dev", host, true)
    expect(readFileSync(join(base, "user/app/bot-bottle-dev/memory.max"), "utf8")).toBe("1073741824")
    expect(held.groups).toEqual([`${base}/user/app/bot-bottle-dev`])
    expect(held.reports.find((report) => report.limit === "cpus")).toMatchObject({ enforced: false })
  })

  test.skipIf(process.getuid?.() === 0)("are not made where the way there is closed", () => {
    chmodSync(join(base, "user/app/cgroup.procs"), 0o444)
    expect(findCgroups({ mountinfo, own: "0::/user/app/shell\n" })).toEqual({})
  })
})

describe("limits without a control group", () => {
  test("are reported one by one, and none is dropped", () => {
    const held = holdLimits(limits, "dev", {}, false)
    expect(held.reports.map((report) => [report.limit, report.enforced])).toEqual([
      ["memory", false],
      ["cpus", false],
      ["pids", false],
      ["disk", true],
    ])
    expect(held.groups).toEqual([])
  })

  test("of processes are held by the guest where the kernel counts them for the bottle alone", () => {
    const held = holdLimits({ pids: 50 }, "dev", {}, true)
    expect(held.guestLimits).toEqual(["nproc=50"])
    expect(held.reports[0]?.enforced).toBe(true)
  })

  test("a group that refuses is a report, not a failure", () => {
    const held = holdLimits({ memory: 1 }, "dev", { memory: { version: 2, parent: "/no/such" } }, true)
    expect(held.reports[0]?.enforced).toBe(false)
  })
})

test.each([
  ["5.13.0", false],
  ["5.14.0-1-amd64", true],
  ["6.1.0", true],
  ["4.19.0", false],
] as const)("Linux %s counts per namespace: %p", (release, wanted) => {
  expect(countsPerNamespace(release)).toBe(wanted)
})

import { expect, test } from "bun:test"
import { createNamespaceBackend } from "../../../../src/backends/namespace/index.ts"
import { explainFailure, isTooOld } from "../../../../src/backends/namespace/probe.ts"
import { parseRecord } from "../../../../src/backends/namespace/record.ts"
import { stagingFor } from "../../../../src/backends/namespace/staging.ts"

test.each([
  ["/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"],
  ["/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"],
  ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor profile"],
])("%s at %s is named, with what mends it", (path, value, remedy) => {
  const why = explainFailure("bwrap: setting up uid map: Permission denied", (asked) =>
    asked === path ? value : undefined,
  )
  expect(why.reason).toContain(path.split("/").at(-1) ?? "")
  expect(why.remedy).toContain(remedy)
})

test("what bubblewrap says is passed on when nothing explains it", () => {
  expect(explainFailure("noise\nbwrap: no space\n", () => undefined).reason).toBe("bwrap: no space")
  expect(
    explainFailure("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", () => undefined).remedy,
  ).toContain("/proc")
})

test("versions before 0.8 are too old", () => {
  expect(
    ["bubblewrap 0.4.1", "bubblewrap 0.7.0", "bubblewrap 0.8.0", "bubblewrap 0.11.0", "bubblewrap 1.0"].map(isTooOld),
  ).toEqual([true, true, false, false, false])
})

test("elsewhere than on Linux it says so", async () => {
  const backend = createNamespaceBackend({
    platform: "darwin",
    arch: "arm64",
    caller: { uid: 501, gid: 20 },
    path: "",
    home: "abcdef",
  })
  expect(await backend.probe()).toMatchObject({ usable: false, reason: expect.stringContaining("Linux") })
})

test("on a machine without a filter it says so", async () => {
  const backend = createNamespaceBackend({
    platform: "linux",
    arch: "riscv64",
    caller: { uid: 1000, gid: 1000 },
    path: "",
    home: "abcdef",
  })
  expect(await backend.probe()).toMatchObject({ usable: false })
})

test("root's room shows every source under a name that anybody can reach", () => {
  const staging = stagingFor(
    ["/usr", "/etc/profile", "/root/.local/bottle", "/root/state", "/opt/rw"],
    (path) => path.endsWith("state") || path === "/opt/rw",
    [],
  )
  expect(staging.sourceOf("/usr")).toBe("/usr")
  expect(staging.sourceOf("/etc/profile")).toBe("/etc/profile")
  expect(staging.sourceOf("/root/state")).toStartWith("/stage/")
  expect(staging.outer.join(" ")).toContain(`--bind /root/state ${staging.sourceOf("/root/state")}`)
  expect(staging.outer.join(" ")).toContain(`--ro-bind /root/.local/bottle ${staging.sourceOf("/root/.local/bottle")}`)
  expect(staging.outer.join(" ")).toContain(`--bind /opt/rw ${staging.sourceOf("/opt/rw")}`)
})

const record = {
  backend: "namespace" as const,
  slug: "dev",
  phase: "running",
  runtimeDir: "/run/x",
  marker: "dev/1",
  agent: { pid: 10, startTime: "5", pidNamespace: "pid:[1]" },
  sidecars: null,
  cgroups: ["/sys/fs/cgroup/bot-bottle-dev"],
  limits: [],
}

test("a record is read back as it was written", () => {
  expect(parseRecord(JSON.parse(JSON.stringify(record)))).toEqual(record as never)
})

test.each([
  ["another backend", { backend: "docker" }],
  ["an unknown phase", { phase: "dead" }],
  ["a process number that would mean many", { agent: { pid: -1, startTime: "5", pidNamespace: "x" } }],
  ["the first process of the machine", { agent: { pid: 1, startTime: "5", pidNamespace: "x" } }],
  ["a group that is not this bottle's", { cgroups: ["/sys/fs/cgroup/system.slice"] }],
  ["an empty marker, which everything would match", { marker: "" }],
])("a record with %s is nobody's", (_what, change) => {
  expect(parseRecord({ ...record, ...change } as never)).toBeUndefined()
})

import { expect, test } from "bun:test"
import { type EngineInfo, judgeEngine, probeEngine } from "../../../../src/backends/docker/probe.ts"

const info: EngineInfo = {
  ...{ ServerVersion: "28.5", OSType: "linux", Architecture: "x86_64", DefaultRuntime: "runc", CgroupVersion: "2" },
  ...{
    SecurityOptions: ["name=seccomp,profile=builtin"],
    Runtimes: { runc: {}, runsc: {}, "io.containerd.runc.v2": {} },
  },
  ...{ MemoryLimit: true, CpuCfsQuota: true, PidsLimit: true },
}

test("an engine that has everything is used, and says what it is", () => {
  expect(judgeEngine("1.51", info, "x64", "/s")).toEqual({
    usable: true,
    detail: "docker 28.5, runc (has runc, runsc), cgroup v2, /s",
    warnings: [],
    runtimes: ["runc", "runsc"],
  })
})

test.each<[string, string, Partial<EngineInfo>]>([
  ["speaks API 1.40", "1.40", {}],
  ["runs windows containers", "1.51", { OSType: "windows" }],
  ["of another architecture (aarch64)", "1.51", { Architecture: "aarch64" }],
  ["does not filter system calls", "1.51", { SecurityOptions: ["name=apparmor"] }],
])("an engine that %s is not", (why, api, change) => {
  const look = judgeEngine(api, { ...info, ...change }, "x64", "/s")
  expect(look).toMatchObject({ usable: false, reason: expect.stringContaining(why) })
})

test("limits that the engine cannot hold are told", () => {
  expect(judgeEngine("1.51", { ...info, MemoryLimit: false, PidsLimit: false }, "x64", "/s")).toMatchObject({
    warnings: ["limits not enforced by this engine: memory, pids"],
  })
})

test.each([
  ["ENOENT", "no engine at /s"],
  ["ECONNREFUSED", "no engine at /s"],
  ["EACCES", "no permission to use the engine at /s"],
  ["ECONNRESET", "the engine at /s does not answer: gone"],
])("an engine that answers %s has its reason", async (code, reason) => {
  const endpoint = { kind: "unix", path: "/s", from: "the default" } as const
  const broken = () => Promise.reject(Object.assign(new Error("gone"), { code }))
  expect(await probeEngine(endpoint, broken, "x64")).toMatchObject({ usable: false, reason })
})

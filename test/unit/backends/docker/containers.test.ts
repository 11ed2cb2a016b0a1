import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import type { ContainerInspectInfo } from "dockerode"
import type { LaunchSpec } from "../../../../src/backends/backend.ts"
import { agentContainer, type ImageConfig } from "../../../../src/backends/docker/container/agent.ts"
import { hasId } from "../../../../src/backends/docker/container/etc.ts"
import { sidecarContainer } from "../../../../src/backends/docker/container/sidecars.ts"
import { relocate } from "../../../../src/backends/docker/image/relocate.ts"
import { isOwnContainer } from "../../../../src/backends/docker/names.ts"
import { judgeAgent, judgeSidecars } from "../../../../src/backends/docker/prove/judge.ts"
import { judgeGvisor, judgeProcesses } from "../../../../src/backends/docker/prove/processes.ts"
import { parseRecord } from "../../../../src/backends/docker/record.ts"

const spec: LaunchSpec = {
  ...{ slug: "a-1", stateDir: "/s", runtimeDir: "/r", binary: "/b", home: "/home/node", workspace: "/workspace" },
  ...{ user: "node", mounts: [], ports: { 9099: "egress" }, sidecars: ["egress"], limits: {} },
}
const mark = (letter: string) => ({ id: letter.repeat(64), image: `sha256:${letter.repeat(64)}` })
const record = {
  ...{
    backend: "docker" as const,
    engine: { host: "unix:///s", from: "a test" },
    slug: "a-1",
    phase: "running" as const,
  },
  ...{ agent: mark("a"), sidecars: mark("b") },
}
const binaryVolume = `bot-bottle-bin-${"c".repeat(20)}`
const agentOf = (imageConfig: ImageConfig = {}) =>
  agentContainer({ spec, image: mark("a").image, imageConfig, binaryVolume })
const plan = { record, spec, imageConfig: {}, binaryVolume }

type Change = { host?: Record<string, unknown>; config?: Record<string, unknown>; info?: Record<string, unknown> }

/** What an engine would say of a container made as planned, with something changed. */
function inspected(role: "agent" | "sidecars", { host, config, info }: Change = {}): ContainerInspectInfo {
  const { name, HostConfig, ...made } = role === "agent" ? agentOf() : sidecarContainer(spec, mark("b").image)
  return {
    ...{ Id: record[role].id, Image: record[role].image, Name: `/${name}`, State: { Running: true, Paused: false } },
    NetworkSettings: { Networks: role === "agent" ? { none: {} } : { bridge: {} } },
    Mounts: ((HostConfig?.Mounts ?? []) as { Source: string; Target: string; ReadOnly?: boolean }[]).map((mount) => ({
      ...{ Type: "volume", Name: mount.Source, Destination: mount.Target, RW: mount.ReadOnly !== true },
    })),
    Config: { ...made, ...config },
    HostConfig: { ...HostConfig, Privileged: false, ...host },
    ...info,
  } as unknown as ContainerInspectInfo
}

const failing = (probes: { ok: boolean; name: string }[]) => probes.filter(({ ok }) => !ok).map(({ name }) => name)

describe("the outside proof of containers", () => {
  test("holds for what was planned", () => {
    expect(failing([...judgeAgent(inspected("agent"), plan), ...judgeSidecars(inspected("sidecars"), plan)])).toEqual(
      [],
    )
  })

  test.each<[string, Change]>([
    ["network-mode", { host: { NetworkMode: "bridge" } }],
    ["network-mode", { info: { NetworkSettings: { Networks: { none: {}, evil: {} } } } }],
    ["capabilities", { host: { CapAdd: ["SYS_ADMIN"] } }],
    ["capabilities", { host: { CapDrop: [] } }],
    ["capabilities", { host: { Privileged: true } }],
    ["security-options", { host: { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] } }],
    ["security-options", { host: { SecurityOpt: null } }],
    ["user", { config: { User: "" } }],
    ["user", { host: { GroupAdd: ["docker"] } }],
    ["namespaces", { host: { PidMode: "host" } }],
    ["namespaces", { host: { IpcMode: "shareable" } }],
    ["namespaces", { host: { UTSMode: "host" } }],
    ["devices", { host: { Devices: [{ PathOnHost: "/dev/kvm" }] } }],
    ["devices", { host: { DeviceRequests: [{ Count: -1 }] } }],
    ["mounts", { host: { Binds: ["/:/host"] } }],
    ["mounts", { info: { Mounts: [] } }],
    ["mounts", { host: { Tmpfs: { "/evil": "rw" } } }],
    ["program", { config: { Entrypoint: ["/bin/sh"] } }],
    ["agent-identity", { info: { Image: mark("d").image } }],
    ["agent-identity", { info: { Name: "/other" } }],
    ["agent-identity", { config: { Labels: { "bot-bottle.slug": "a-1", "bot-bottle.role": "sidecars" } } }],
    ["agent-identity", { info: { State: { Running: false, Paused: false } } }],
  ])("finds the agent's %s changed", (name, change) => {
    expect(failing(judgeAgent(inspected("agent", change), plan))).toEqual([name])
  })

  test("finds a socket of the engine's, or anything else, among the agent's mounts", () => {
    const { Mounts } = inspected("agent")
    for (const more of [
      { Type: "bind", Source: "/var/run/docker.sock", Destination: "/var/run/docker.sock", RW: true },
      { Type: "volume", Name: "other", Destination: "/data", RW: false },
    ]) {
      expect(failing(judgeAgent(inspected("agent", { info: { Mounts: [...Mounts, more] } }), plan))).toEqual(["mounts"])
    }
    const writable = Mounts.map((mount) => ({ ...mount, RW: true }))
    expect(failing(judgeAgent(inspected("agent", { info: { Mounts: writable } }), plan))).toEqual(["mounts"])
  })

  test.each<Change>([
    { host: { NetworkMode: "host" } },
    { host: { PortBindings: { "80/tcp": [{ HostPort: "80" }] } } },
    { host: { ReadonlyRootfs: false } },
    { host: { CapAdd: ["SETUID", "SETGID", "KILL", "SYS_PTRACE"] } },
    { host: { LogConfig: { Type: "json-file" } } },
    { host: { PidMode: "host" } },
    { config: { Cmd: ["sidecar", "--isolate", "none"] } },
    { config: { User: "" } },
  ])("finds the sidecars' container changed by %j", (change) => {
    expect(failing(judgeSidecars(inspected("sidecars", change), plan))).toEqual(["sidecars-container"])
  })

  test("judges every process by what the kernel says of it", () => {
    const status =
      "Uid:\t1000\t1000\t1000\t1000\nGid:\t1\t1\t1\t1\nCapInh:\t0\nCapPrm:\t0\nCapEff:\t0\nCapBnd:\t0\nCapAmb:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    const good = { netDev: "Inter\n  lo: 0\n", status, shared: ["user"], program: "bottle" }
    expect(failing(judgeProcesses([good]))).toEqual([])
    expect(failing(judgeProcesses([])).length).toBe(6)
    expect(failing(judgeProcesses([good, { ...good, netDev: "  lo: 0\n  eth0: 0\n" }]))).toEqual(["kernel-interfaces"])
    expect(failing(judgeProcesses([{ ...good, shared: ["net"] }]))).toEqual(["kernel-namespaces"])
    expect(failing(judgeProcesses([{ ...good, status: status.replace("Uid:\t1000", "Uid:\t0") }]))).toEqual([
      "kernel-user",
    ])
    expect(failing(judgeProcesses([{ ...good, status: status.replace("CapBnd:\t0", "CapBnd:\t1") }]))).toEqual([
      "kernel-capabilities",
    ])
  })

  test("judges gVisor's processes by other words, and only where they are gVisor's", () => {
    const status = "Uid:\t65534\t65534\t65534\t65534\nGid:\t9\t9\t9\t9\nCapEff:\t240000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    const good = { netDev: "  lo: 0\n", status, shared: ["pid"], program: "runsc-sandbox" }
    const unnamed = { ...good, program: "" }
    expect(failing(judgeGvisor([good, unnamed]))).toEqual([])
    expect(failing(judgeGvisor([]))).toContain("kernel-program")
    expect(failing(judgeGvisor([{ ...good, program: "/run/bottle/bin/bottle" }]))).toEqual(["kernel-program"])
    expect(failing(judgeGvisor([good, { ...unnamed, netDev: "  lo: 0\n  eth0: 0\n" }]))).toEqual(["kernel-interfaces"])
    expect(failing(judgeGvisor([{ ...good, shared: ["pid", "user"] }]))).toEqual(["kernel-namespaces"])
    expect(failing(judgeGvisor([{ ...good, status: status.replace("Seccomp:\t2", "Seccomp:\t0") }]))).toEqual([
      "kernel-seccomp",
    ])
  })

  test("finds a runtime that is not the one that was asked for", () => {
    const asked = { ...plan, spec: { ...plan.spec, docker: { runtime: "runsc" } } }
    expect(failing(judgeAgent(inspected("agent", { host: { Runtime: "runc" } }), asked))).toEqual(["runtime"])
    expect(failing(judgeAgent(inspected("agent", { host: { Runtime: "runsc" } }), asked))).toEqual([])
  })
})

describe("the agent's container", () => {
  test("takes every variable of its image out, but for those it sets itself", () => {
    const Env = ["LD_PRELOAD=/x", "PATH=/evil", "BUN_OPTIONS=--x", "EMPTY"]
    expect(agentOf({ Env }).Env?.slice(3)).toEqual(["LD_PRELOAD", "BUN_OPTIONS", "EMPTY"])
    expect(agentOf({ Env }).Env?.[0]).toBe("PATH=/usr/local/bin:/usr/bin:/bin")
  })

  test("covers the image's volumes with temporary file systems, and refuses those in the way", () => {
    const config = { Volumes: { "/data": {}, "/workspace": {} } }
    expect(Object.keys(agentOf(config).HostConfig?.Tmpfs ?? {})).toContain("/data")
    expect(Object.keys(agentOf(config).HostConfig?.Tmpfs ?? {})).not.toContain("/workspace")
    for (const path of ["/run/bottle/bin", "/proc/x", "/etc", "/a/../etc", "relative", "/", "/a b"]) {
      expect(() => agentOf({ Volumes: { [path]: {} } })).toThrow("declares a volume")
    }
  })

  test("has the limits of its bottle, and limits where it has none", () => {
    const limited = agentContainer({
      spec: { ...spec, limits: { memory: 1e9, cpus: 1.5, pids: 50 }, docker: { runtime: "runsc" } },
      ...{ image: "i", imageConfig: {}, binaryVolume },
    })
    expect(limited.HostConfig).toMatchObject({
      Memory: 1e9,
      MemorySwap: 1e9,
      NanoCpus: 1.5e9,
      PidsLimit: 50,
      Runtime: "runsc",
    })
    expect(agentOf().HostConfig?.PidsLimit).toBe(4096)
  })
})

describe("small parts", () => {
  test("a record that was damaged, or is another's, is none", () => {
    expect(parseRecord(record)).toEqual(record)
    for (const change of [
      { backend: "namespace" as const },
      { phase: "x" },
      { agent: { id: "../x", image: "y" } },
      { agent: 3 },
    ]) {
      expect(parseRecord({ ...record, ...change })).toBeUndefined()
    }
  })

  test("a container is known by its name, which no image chooses", () => {
    expect(isOwnContainer("a-1", ["/bot-bottle-a-1-agent"])).toBe(true)
    expect(isOwnContainer("a-1", ["/bot-bottle-a-1-x", "/postgres"])).toBe(false)
  })

  test("the agent's id is found in a passwd file", () => {
    expect(hasId("root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh")).toBe(true)
    expect(hasId("a:x:10000:1::/:/bin/sh\n")).toBe(false)
  })

  test("a program is made to start from elsewhere without being moved", () => {
    const program = readFileSync(process.execPath)
    const { loader, needed, rewrites } = relocate((at, length) => program.subarray(at, at + length))
    expect(loader).toContain("ld-linux")
    expect(needed).toContain("libc.so.6")
    expect(rewrites.map(({ bytes }) => bytes.length)).toEqual([loader.length + 1, 16])
    expect(Buffer.from(rewrites[0]!.bytes).toString()).toStartWith("/run/bottle/bin/ld\0$ORIGIN\0")
    expect(() => relocate(() => Buffer.alloc(64))).toThrow("not a 64-bit")
  })
})

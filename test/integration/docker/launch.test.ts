import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { LaunchSpec, Probe, RunningBottle } from "../../../src/backends/backend.ts"
import { parseRecord } from "../../../src/backends/docker/record.ts"
import { FrameKind } from "../../../src/lib/frames.ts"
import { busyboxTree, importImage, useEngine } from "../../support/docker/engine.ts"
import { requirePart } from "../../support/require.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"
import { runShell, startSession } from "../namespace/guest-client.ts"
import { backendOf, bringUpIn, secret, specIn } from "./test-bottle.ts"

const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart)
const engine = useEngine(able)
const dir = tempDir("docker")

/** What an agent could build to get the better of the next bottle (SECURITY 4). */
const hostile = [
  'ENTRYPOINT ["/bin/false"]',
  "ENV LD_PRELOAD=/evil.so BUN_OPTIONS=--evil PATH=/evil HOME=/evil",
  "VOLUME /data",
  "USER root",
  "LABEL bot-bottle.slug=other bot-bottle.role=sidecars",
]

describe.skipIf(!able)("a bottle in containers", () => {
  let spec: LaunchSpec
  let bottle: RunningBottle
  let probes: Probe[]
  const backend = backendOf(engine)
  const inspect = async (role: "agent" | "sidecars") =>
    JSON.parse(await engine.docker("inspect", parseRecord(bottle.record)![role]!.id))[0]

  beforeAll(async () => {
    const tree = await busyboxTree(dir)
    mkdirSync(join(tree, "run/bottle/net"), { recursive: true })
    writeFileSync(join(tree, "run/bottle/net/egress.sock"), "planted")
    await importImage(engine, tree, "hostile:1", hostile)
    spec = specIn(dir, { image: "hostile:1" }, { memory: 512 * 1024 ** 2, pids: 200, cpus: 1 })
    ;({ bottle, probes } = await bringUpIn(backend, spec))
  }, 300_000)
  afterAll(async () => {
    await bottle?.stop()
    await backend.forget?.(spec.slug)
  })

  test("is proved from inside and outside, in an image without a C library", () => {
    expect(probes.filter((probe) => !probe.ok)).toEqual([])
    const names = probes.map(({ name }) => name)
    expect(names).toContain("proxy-health")
    expect(names).toContain("network-mode")
    expect(names).toContain("kernel-interfaces")
  })

  test("overrides what its image says of users, programs, variables and volumes", async () => {
    const seen = await runShell(bottle, "id -u; ls /run/bottle/net; ls -d /data; tr '\\0' '\\n' < /proc/1/environ")
    expect(seen.output).toStartWith("1000\negress.sock\n/data\n")
    expect(seen.output).not.toContain("evil")
    const { Config, Mounts } = await inspect("agent")
    expect(Config.Labels).toEqual({ "bot-bottle.slug": spec.slug, "bot-bottle.role": "agent" })
    expect(Mounts.map(({ Destination }: { Destination: string }) => Destination).sort()).toEqual(
      ["/etc/bot-bottle/current-config", "/home/node", "/run/bottle/bin", "/run/bottle/net", "/workspace"].sort(),
    )
  })

  test("has its limits, a writable home and workspace, and neither resolver nor host", async () => {
    const { HostConfig } = await inspect("agent")
    expect(HostConfig).toMatchObject({ Memory: 512 * 1024 ** 2, PidsLimit: 200, NanoCpus: 1e9 })
    const seen = await runShell(bottle, "touch ~/a /workspace/b && cat /etc/resolv.conf /etc/hosts && id -un")
    expect(seen.output).toBe("127.0.0.1 localhost bottle\n::1 localhost\nnode\n")
  })

  test("shows the agent binary and sockets it can read and not change", async () => {
    const seen = await runShell(
      bottle,
      "for path in /run/bottle/bin/x /run/bottle/net/x /etc/bot-bottle/current-config/x /etc/x /x; do touch $path && echo $path; done 2>/dev/null; true",
    )
    expect(seen.output).toBe("")
    const config = await runShell(bottle, "cd /etc/bot-bottle/current-config && ls && cat routes.yaml")
    expect(config.output).toStartWith("allowlist\nroutes.yaml\n")
    expect(config.output).toContain("routes: []")
  })

  test("keeps a secret out of inspections, logs, images and both file systems", async () => {
    const { agent, sidecars } = parseRecord(bottle.record)!
    const said = [JSON.stringify([await inspect("agent"), await inspect("sidecars")])]
    for (const mark of [agent!, sidecars!]) {
      said.push(await engine.docker("logs", mark.id).catch((error) => String(error)))
      said.push(await engine.docker("history", "--no-trunc", mark.image))
      said.push(await engine.docker("diff", mark.id))
    }
    expect(said.join("\n")).not.toContain(secret)
  })

  test("runs egress as a user of its own, whom the supervisor's memory and socket are closed to", async () => {
    const { sidecars } = parseRecord(bottle.record)!
    const top = await engine.docker("top", sidecars!.id, "-eo", "pid,uid,args")
    const row = top.split("\n").find((line) => line.includes("--child egress"))
    expect(row?.trim().split(/\s+/)[1]).toBe("2001")
    const status = readFileSync(`/proc/${row?.trim().split(/\s+/)[0]}/status`, "utf8")
    expect(status).toMatch(/^CapEff:\s*0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\s*1$/m)
    const script = `const fs = require("fs")
      for (const pid of fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name) && name !== String(process.pid)))
        for (const name of ["mem", "environ", "fd/0"])
          try { fs.openSync("/proc/" + pid + "/" + name, "r"); if (pid !== "1") console.log("read", pid, name) } catch {}
      try { fs.readdirSync("/run/bottle/ctl"); console.log("read ctl") } catch {}`
    const as = ["exec", "-u", "2001:2001", "-e", "BUN_BE_BUN=1", sidecars!.id, "/run/bottle/bin/bottle", "-e", script]
    expect(await engine.docker(...as)).toBe("")
  })

  test("refuses its sidecars what nothing of theirs needs of the kernel", async () => {
    const { sidecars } = parseRecord(bottle.record)!
    // x86-64 and arm64 number them differently: by name, through the C library.
    const calls = { ptrace: [0, 0, 0, 0], unshare: [0x1000_0000], mknod: [0, 0, 0], mount: [0, 0, 0, 0, 0] }
    const packet = [17, 3, 0]
    const script = `const { dlopen } = require("bun:ffi")
      const calls = ${JSON.stringify({ ...calls, socket: packet })}
      const libc = "libc.so.6"
      const errno = (name, args) => {
        const lib = dlopen(libc, { [name]: { args: args.map(() => "u64"), returns: "i32" }, __errno_location: { args: [], returns: "ptr" } })
        const result = lib.symbols[name](...args)
        return Number(result) === -1 ? require("bun:ffi").read.i32(lib.symbols.__errno_location(), 0) : 0
      }
      console.log(JSON.stringify(Object.fromEntries(Object.entries(calls).map(([name, args]) => [name, errno(name, args)]))))`
    for (const user of ["0:0", "2001:2001"]) {
      const as = ["exec", "-u", user, "-e", "BUN_BE_BUN=1", sidecars!.id, "/run/bottle/bin/bottle", "-e", script]
      const said = JSON.parse(await engine.docker(...as))
      expect(said).toEqual({ ptrace: 1, unshare: 1, mknod: 1, mount: 1, socket: 1 })
    }
  })

  test("gives no stream to a container that is not the recorded one", async () => {
    const record = parseRecord(bottle.record)!
    const swapped = { ...record, agent: record.sidecars, sidecars: record.agent }
    expect(await backend.adopt(swapped, spec)).toBeUndefined()
    const other = { ...record, sidecars: { ...record.sidecars!, image: record.agent!.image } }
    expect(await backend.adopt(other, spec)).toBeUndefined()
  })

  test("carries many bytes both ways, and the end of input", async () => {
    const size = 8 * 1024 ** 2
    const seen = await runShell(bottle, `head -c ${size} /dev/zero | tr '\\0' x`)
    expect(seen.output.length).toBe(size)
    const counted = await startSession(bottle, ["/bin/wc", "-c"], { stdin: true })
    for (let sent = 0; sent < size; sent += 64 * 1024) counted.send("y".repeat(64 * 1024))
    counted.frame(FrameKind.eof, "")
    await counted.ended
    expect(counted.output().trim()).toBe(String(size))
  })

  test("has sessions on a terminal made inside, which end with their connection", async () => {
    const session = await startSession(bottle, ["/bin/sh"], { pty: { cols: 91, rows: 33 }, stdin: true })
    session.send("stty size\n")
    await waitFor("the size", () => session.output().includes("33 91"))
    session.frame(FrameKind.resize, { cols: 70, rows: 20 })
    session.send("stty size; sleep 1234\n")
    await waitFor("the new size", () => session.output().includes("20 70"))
    session.stream.destroy()
    const isThere = async () => (await runShell(bottle, "ps")).output.includes("sleep 1234")
    await waitFor("its end", async () => !(await isThere()))
  })

  test("is one of several that start at the same time", async () => {
    const specs = [1, 2, 3].map(() => specIn(dir, { image: "hostile:1" }))
    const launched = await Promise.all(specs.map((each) => bringUpIn(backendOf(engine), each)))
    for (const each of launched) expect(each.probes.filter((probe) => !probe.ok)).toEqual([])
    await Promise.all(launched.map((each) => each.bottle.stop()))
    await Promise.all(specs.map(({ slug }) => backend.forget?.(slug)))
    expect((await engine.left()).filter((name) => !name.startsWith(`bot-bottle-${spec.slug}`))).toEqual([])
  })
})

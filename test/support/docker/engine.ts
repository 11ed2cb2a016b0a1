import { afterAll, beforeAll } from "bun:test"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { basicEnv, run } from "../command.ts"
import { waitFor } from "../wait.ts"

/** A Docker engine of a test file's own: its own data, socket and bridge, and the host's firewall left as it is. */
export interface TestEngine {
  /** `DOCKER_HOST`. */
  host: string
  /** This machine, as containers on its bridge reach it. */
  address: string
  /** Run the docker command against it; throws when it fails. */
  docker(...args: string[]): Promise<string>
  /** Containers and volumes of bottles, by name; volumes of a build's binary do not count. */
  left(): Promise<string[]>
  /** End the daemon as a crash would, and start it again on the same data. */
  crash(): Promise<void>
  start(): Promise<void>
}

/** Where an engine runs: `enter` puts a program into network namespaces in which its bridge and firewall are its own. */
export interface Elsewhere {
  enter(argv: readonly string[]): string[]
}

/** What a file's engine is given beside the usual. */
export interface EngineExtras {
  /** A file's second engine needs another number than its first, 0. */
  nth?: number
  /** More arguments for the daemon. */
  argv?: readonly string[]
}

/** Start an engine before a file's tests and take everything of it away after the last. For `requirePart("dockerd")`. */
export function useEngine(enabled: boolean, elsewhere?: Elsewhere, extras: EngineExtras = {}): TestEngine {
  const { engine, up, down, dir } = makeEngine(elsewhere, extras)
  if (enabled) {
    beforeAll(up, 300_000)
    afterAll(down, 300_000)
  } else rmSync(dir, { recursive: true, force: true })
  return engine
}

/** An engine that is brought up and taken down by hand. */
export interface MadeEngine {
  engine: TestEngine
  dir: string
  up(): Promise<void>
  down(): Promise<void>
}

export function makeEngine(elsewhere?: Elsewhere, extras: EngineExtras = {}): MadeEngine {
  const dir = mkdtempSync(join(tmpdir(), "bbd-"))
  const host = `unix://${join(dir, "s")}`
  const { nth = 0, argv: more = [] } = extras
  const bridge = `bbt${nth === 0 ? "" : nth}${process.pid}`
  const address = `172.${29 - nth}.${process.pid % 250}.1`
  let daemon: Bun.Subprocess | undefined
  const docker = async (...args: string[]) => {
    const done = await run(["docker", ...args], { env: basicEnv({ DOCKER_HOST: host }) })
    if (done.code !== 0) throw new Error(`docker ${args.join(" ")}: ${done.stderr}`)
    return done.stdout.trim()
  }
  const log = join(dir, "log")
  /** False: it ended before it answered. */
  const launch = async () => {
    const child = Bun.spawn([...daemonArgv(dir, host, elsewhere ?? bridge), ...more], {
      env: basicEnv(),
      stdio: ["ignore", "ignore", Bun.file(log)],
    })
    daemon = child
    const answers = () => docker("version").catch(() => undefined)
    await waitFor("the engine", async () => child.exitCode !== null || answers(), 120_000)
    return child.exitCode === null
  }
  const start = async () => {
    // It gives its containerd some seconds, which a busy machine may not have.
    for (let tries = 1; !(await launch()); tries++) {
      if (tries === 3) throw new Error(`dockerd ended: ${read(log).trim().split("\n").at(-1)}`)
    }
  }
  const up = async () => {
    if (elsewhere === undefined) {
      await run(["ip", "link", "add", bridge, "type", "bridge"])
      await run(["ip", "address", "add", `${address}/24`, "dev", bridge])
      await run(["ip", "link", "set", bridge, "up"])
    }
    await start()
  }
  const down = async () => {
    for (const id of (await docker("ps", "-aq").catch(() => "")).split("\n")) {
      if (id !== "") await docker("rm", "-fv", id).catch(() => "")
    }
    daemon?.kill("SIGTERM")
    await daemon?.exited
    endLeftovers(dir)
    await run(["ip", "link", "delete", bridge])
    await unmountBelow(dir)
    rmSync(dir, { recursive: true, force: true })
  }
  const engine: TestEngine = {
    host,
    address,
    docker,
    start,
    async left() {
      const names = await docker("ps", "-a", "--format", "{{.Names}}")
      const volumes = await docker("volume", "ls", "--format", "{{.Name}}")
      return `${names}\n${volumes}`.split("\n").filter((name) => name !== "" && !name.startsWith("bot-bottle-bin-"))
    },
    async crash() {
      const containerd = Number(await Bun.file(join(dir, "exec/containerd/containerd.pid")).text())
      daemon?.kill("SIGKILL")
      await daemon?.exited
      // It dies with the daemon, and a new one that still sees it waits for its socket in vain.
      await waitFor("containerd's end", () => !existsSync(`/proc/${containerd}`))
    },
  }
  return { engine, dir, up, down }
}

/** It ends with the process that runs the tests, however that ends. */
function daemonArgv(dir: string, host: string, where: string | Elsewhere): string[] {
  const argv = [
    ...["setpriv", "--pdeathsig", "TERM", "--", "dockerd"],
    ...["--data-root", join(dir, "data"), "--exec-root", join(dir, "exec"), "--pidfile", join(dir, "pid")],
    ...["-H", host, "--userland-proxy=false"],
  ]
  if (typeof where !== "string") return where.enter(argv)
  const firewall = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
  return [...argv, `--bridge=${where}`, ...firewall]
}

/** Containers that outlived a crashed daemon: children of the shims that name this engine's directory. */
function endLeftovers(dir: string): void {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  const shims = pids.filter((pid) => read(`/proc/${pid}/cmdline`).includes(`${dir}/exec/containerd/`))
  const children = pids.filter((pid) => shims.includes(/^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? ""))
  for (const pid of [...children, ...shims]) {
    try {
      process.kill(Number(pid), "SIGKILL")
    } catch {
      // Ended by itself.
    }
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

async function unmountBelow(dir: string): Promise<void> {
  const mounts = await Bun.file("/proc/self/mounts").text()
  const below = mounts.split("\n").flatMap((line) => line.split(" ")[1] ?? [])
  for (const target of below.filter((path) => path.startsWith(`${dir}/`)).reverse()) await run(["umount", "-l", target])
}

/** A tree of an image that has a shell and no C library, made from a static busybox; returns its directory. */
export async function busyboxTree(dir: string): Promise<string> {
  const tree = mkdtempSync(join(dir, "image-"))
  await run(["mkdir", "-p", join(tree, "bin")])
  await run(["cp", "/bin/busybox", join(tree, "bin", "busybox")])
  for (const name of [
    "sh",
    "ls",
    "cat",
    "id",
    "env",
    "ln",
    "mkdir",
    "rm",
    "sleep",
    "touch",
    "mkfifo",
    "chmod",
    "tr",
    "wc",
    "stty",
    "ps",
    "seq",
  ]) {
    await run(["ln", "-s", "busybox", join(tree, "bin", name)])
  }
  return tree
}

/** Import a tree as an image; `changes` are lines of a Dockerfile. */
export async function importImage(
  engine: TestEngine,
  tree: string,
  name: string,
  changes: string[] = [],
): Promise<void> {
  const tar = join(tree, "..", `${name.replace(":", "-")}.tar`)
  await run(["tar", "-C", tree, "-cf", tar, ...readdirSync(tree)])
  await engine.docker("import", ...changes.flatMap((change) => ["-c", change]), tar, name)
  if (existsSync(tar)) rmSync(tar)
}

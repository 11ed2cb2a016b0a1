import { BottleError } from "../../lib/errors.ts"
import type { Availability } from "../backend.ts"
import { describeEndpoint, type Endpoint } from "./endpoint.ts"
import { type Engine, engineSaid } from "./engine.ts"

/** An engine that takes longer than this to say its version does not answer; one behind ssh has a handshake first; ms. */
const patience = { unix: 5_000, tcp: 5_000, ssh: 15_000 } as const
/** 20.10: the first whose answers and namespaces are as this backend reads them. */
const oldestApi = 1.41

/** The part of the engine's `/info` that matters here. */
export interface EngineInfo {
  ServerVersion?: string
  OSType?: string
  Architecture?: string
  DefaultRuntime?: string
  Runtimes?: Record<string, unknown>
  CgroupVersion?: string
  MemoryLimit?: boolean
  CpuCfsQuota?: boolean
  PidsLimit?: boolean
  SecurityOptions?: string[]
  InitBinary?: string
}

/** Whether bottles can run on the engine, and if not, exactly why. */
export async function probeEngine(
  endpoint: Endpoint,
  open: (endpoint: Endpoint) => Promise<Engine>,
  arch: string,
): Promise<Availability> {
  let version: { ApiVersion?: string }
  let info: EngineInfo
  try {
    const engine = await open(endpoint)
    ;[version, info] = await within(
      patience[endpoint.kind],
      Promise.all([engine.version(), engine.info() as Promise<EngineInfo>]),
    )
  } catch (error) {
    return unreachable(endpoint, error)
  }
  const judged = judgeEngine(version.ApiVersion ?? "0", info, arch, describeEndpoint(endpoint))
  return judged.usable && isOpenWire(endpoint) ? { ...judged, warnings: [...judged.warnings, openWire] } : judged
}

const openWire = "this engine is spoken to without TLS: whoever is on the way between is its master"

function isOpenWire(endpoint: Endpoint): boolean {
  if (endpoint.kind !== "tcp" || endpoint.tls !== undefined) return false
  return !/^(localhost|127(\.\d+){3}|::1)$/.test(endpoint.host)
}

/** The judgement itself, on what the engine said. */
export function judgeEngine(api: string, info: EngineInfo, arch: string, where: string): Availability {
  const no = (reason: string, remedy: string): Availability => ({ usable: false, reason, remedy })
  const engine = `docker ${info.ServerVersion ?? "?"}`
  if (Number(api) < oldestApi)
    return no(`${engine} speaks API ${api}`, `install an engine of API ${oldestApi} (20.10) or newer`)
  if (info.OSType !== "linux") return no(`${engine} runs ${info.OSType} containers`, "switch it to Linux containers")
  const wanted = arch === "x64" ? "x86_64" : "aarch64"
  if (info.Architecture !== wanted) {
    return no(`${engine} is of another architecture (${info.Architecture})`, "use an engine of this machine's kind")
  }
  if (!(info.SecurityOptions ?? []).some((option) => option.startsWith("name=seccomp"))) {
    return no(`${engine} does not filter system calls`, "start it on a kernel with seccomp")
  }
  const limits = [
    ["memory", info.MemoryLimit],
    ["cpus", info.CpuCfsQuota],
    ["pids", info.PidsLimit],
  ].flatMap(([name, held]) => (held === false ? [String(name)] : []))
  const runtimes = Object.keys(info.Runtimes ?? {}).filter((name) => !name.startsWith("io.containerd."))
  return {
    usable: true,
    runtimes,
    detail: `${engine}, ${info.DefaultRuntime ?? "runc"}${runtimes.length > 1 ? ` (has ${runtimes.join(", ")})` : ""}, cgroup v${info.CgroupVersion ?? "?"}, ${where}`,
    warnings: limits.length === 0 ? [] : [`limits not enforced by this engine: ${limits.join(", ")}`],
  }
}

function unreachable(endpoint: Endpoint, error: unknown): Availability {
  const code = (error as NodeJS.ErrnoException).code
  const where = describeEndpoint(endpoint)
  if (error instanceof BottleError) return { usable: false, reason: error.message, remedy: error.hint ?? "" }
  if (code === "EACCES" || code === "EPERM") {
    return {
      usable: false,
      reason: `no permission to use the engine at ${where}`,
      remedy: "add yourself to the group docker, which makes you as powerful as root, or use a rootless engine",
    }
  }
  const isThere = code !== "ENOENT" && code !== "ECONNREFUSED"
  return {
    usable: false,
    reason: isThere ? `the engine at ${where} does not answer: ${engineSaid(error)}` : `no engine at ${where}`,
    remedy:
      endpoint.from === "the default"
        ? "install and start Docker, or set DOCKER_HOST"
        : `start it, or mend ${endpoint.from}`,
  }
}

function within<T>(limit: number, asked: Promise<T>): Promise<T> {
  let timer: Timer | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limit / 1000} s`)), limit)
  })
  return Promise.race([asked, late]).finally(() => clearTimeout(timer))
}

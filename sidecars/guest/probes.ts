import { closeSync, openSync, readFileSync } from "node:fs"
import { constants as os } from "node:os"
import { isOwnSide, socketAddress } from "./addresses.ts"
import type { Libc } from "./libc.ts"
import { proxyProbes } from "./proxy-probes.ts"

/**
 * The inside half of the fence proof (DESIGN §6, SECURITY 3). Every probe tries the forbidden thing and looks at how
 * the kernel says no: an error that means "there is no way" passes, one that means "somebody out there said no", and
 * an attempt that would have to wait for an answer, fail. So nothing here takes longer than a system call.
 */

export interface InsideProbe {
  name: string
  ok: boolean
  detail: string
}

export interface ProofRequest {
  hostAddresses: readonly string[]
  proxy: string
  /** gVisor's kernel says no in other words than Linux, and is itself what keeps the agent from this machine's. */
  kernel?: "gvisor"
}

const documentation = { v4: "192.0.2.1", v6: "2001:db8::1", resolver: "192.0.2.53" } as const
const metadata = "169.254.169.254"

/** Run all probes. A probe that cannot be made is a failed one. */
export async function proveInside(request: ProofRequest, libc: Libc): Promise<InsideProbe[]> {
  const proxied = proxyProbes(request.proxy)
  const words = request.kernel === "gvisor" ? gvisorWords : linuxWords
  const direct = [
    ["tcp-documentation-v4", documentation.v4],
    ["tcp-documentation-v6", documentation.v6],
    ["tcp-metadata", metadata],
    ...request.hostAddresses.filter((address) => !isOwnSide(address)).map((address) => ["tcp-host", address]),
  ] as const
  return [
    guarded("interfaces", onlyLoopback),
    guarded("routes-v4", noRouteV4),
    guarded("routes-v6", noRouteV6),
    ...direct.map(([name, address]) =>
      guarded(name ?? "tcp", () => noWay(libc, address ?? "", socketType.stream, 443, words)),
    ),
    guarded("udp-dns", () => noWay(libc, documentation.resolver, socketType.datagram, 53, words)),
    ...refusedSockets.map(([name, family, type, protocol]) =>
      guarded(name, () => refused(closing(libc, libc.socket(family, type, protocol)), words)),
    ),
    // Both reach this machine's kernel only where that is what answers.
    ...(request.kernel === "gvisor"
      ? [guarded("own-kernel", () => isGvisor(readFileSync("/proc/version", "utf8")))]
      : [
          guarded("io-uring", () => refused(libc.syscall(ioUringSetup, 1, null), words)),
          guarded("new-user-namespace", () => refused(libc.unshare(newUserNamespace), words)),
        ]),
    guarded("kernel-settings", () => notWritable("/proc/sys/kernel/core_pattern")),
    guarded("privileges", () => noPrivileges(readFileSync("/proc/self/status", "utf8"), request.kernel)),
    ...(await proxied),
  ]
}

type Seen = { ok: boolean; detail: string }

function guarded(name: string, look: () => Seen): InsideProbe {
  try {
    return { name, ...look() }
  } catch (error) {
    return { name, ok: false, detail: `could not be probed: ${error instanceof Error ? error.message : String(error)}` }
  }
}

const socketType = { stream: 1, datagram: 2, raw: 3, nonblocking: 0o4000 } as const
const ioUringSetup = 425
const newUserNamespace = 0x10000000
/** AF_VSOCK, AF_PACKET, AF_ALG, a raw IP socket, and netlink beyond the route protocol. */
const refusedSockets = [
  ["socket-vsock", 40, socketType.stream, 0],
  ["socket-packet", 17, socketType.raw, 0x0300],
  ["socket-alg", 38, 5, 0],
  ["socket-raw", 2, socketType.raw, 1],
  ["socket-netfilter", 16, socketType.raw, 12],
] as const

const errorName = (result: number): string =>
  Object.entries(os.errno).find(([, value]) => value === -result)?.[0] ?? `errno ${-result}`

/** Interface names of /proc/net/dev. */
export function interfacesOf(text: string): string[] {
  return text.split("\n").flatMap((line) => line.match(/^\s*([^\s:]+):/)?.[1] ?? [])
}

function onlyLoopback(): Seen {
  const names = interfacesOf(readFileSync("/proc/net/dev", "utf8"))
  return { ok: names.length === 1 && names[0] === "lo", detail: names.join(" ") || "none" }
}

function noRouteV4(): Seen {
  const rows = readFileSync("/proc/net/route", "utf8").trim().split("\n").slice(1)
  return {
    ok: rows.length === 0,
    detail: rows.length === 0 ? "none" : `by ${rows.map((row) => row.split("\t")[0]).join(" ")}`,
  }
}

function noRouteV6(): Seen {
  let table: string
  try {
    table = readFileSync("/proc/net/ipv6_route", "utf8")
  } catch {
    return { ok: true, detail: "no IPv6 here" }
  }
  const devices = table
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((row) => row.trim().split(/\s+/).at(-1))
  const leading = devices.filter((device) => device !== "lo")
  return { ok: leading.length === 0, detail: leading.length === 0 ? "only lo" : `by ${leading.join(" ")}` }
}

/** How a kernel says no: when no packet could even be sent, and by policy. */
interface Words {
  nowhere: readonly number[]
  /** An error about the arguments means that the call was let through to look at them. */
  byPolicy: readonly number[]
}

const byPolicy = [os.errno.EPERM, os.errno.EACCES, os.errno.ENOSYS, os.errno.EAFNOSUPPORT]
const linuxWords: Words = {
  nowhere: [
    os.errno.ENETUNREACH,
    os.errno.ENETDOWN,
    os.errno.EADDRNOTAVAIL,
    os.errno.EAFNOSUPPORT,
    os.errno.EPERM,
    os.errno.EACCES,
  ],
  byPolicy,
}
/** Its network stack says at once that a host is not reachable where it has no route, and knows fewer protocols. */
const gvisorWords: Words = {
  nowhere: [...linuxWords.nowhere, os.errno.EHOSTUNREACH],
  byPolicy: [...byPolicy, os.errno.EPROTONOSUPPORT],
}

function noWay(libc: Libc, address: string, type: number, port: number, { nowhere }: Words): Seen {
  const target = socketAddress(address, port)
  if (target === undefined) return { ok: false, detail: `${address}: not an address` }
  const fd = libc.socket(target.family, type | socketType.nonblocking, 0)
  if (fd < 0) return { ok: nowhere.includes(-fd), detail: `${address}: ${errorName(fd)}` }
  const result = libc.connect(fd, target.bytes)
  libc.close(fd)
  const said = result === 0 ? "connected" : errorName(result)
  return { ok: nowhere.includes(-result), detail: `${address}: ${said}` }
}

function closing(libc: Libc, fd: number): number {
  if (fd >= 0) libc.close(fd)
  return fd
}

function refused(result: number, words: Words): Seen {
  if (result >= 0) return { ok: false, detail: "allowed" }
  return { ok: words.byPolicy.includes(-result), detail: errorName(result) }
}

function notWritable(path: string): Seen {
  try {
    closeSync(openSync(path, "r+"))
    return { ok: false, detail: `${path} can be written` }
  } catch (error) {
    return { ok: true, detail: (error as NodeJS.ErrnoException).code ?? "refused" }
  }
}

/** gVisor says that it is a Linux of a long time ago, built at one fixed moment. */
function isGvisor(version: string): Seen {
  const ok = version.startsWith("Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016")
  return { ok, detail: ok ? "gVisor's" : version.trim().slice(0, 80) }
}

/**
 * What /proc/<pid>/status says of capabilities, no_new_privs and the filter. gVisor's says nothing of the second and
 * of one kind of capability, and has the filter on its own processes, outside.
 */
export function noPrivileges(status: string, kernel?: "gvisor"): Seen {
  const field = (name: string) => status.match(new RegExp(`^${name}:\\s*(\\S+)`, "m"))?.[1]
  const wanted: Record<string, string> = kernel === "gvisor" ? {} : { NoNewPrivs: "1", Seccomp: "2" }
  const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", ...(kernel === "gvisor" ? [] : ["CapAmb"])]
  const wrong = Object.entries(wanted).filter(([name, value]) => field(name) !== value)
  const capable = sets.filter((name) => !/^0+$/.test(field(name) ?? "?"))
  const found = [
    ...wrong.map(([name]) => `${name} ${field(name) ?? "?"}`),
    ...capable.map((name) => `${name} ${field(name) ?? "?"}`),
  ]
  return {
    ok: found.length === 0,
    detail: found.length === 0 ? "no capability, no new privileges, filtered" : found.join(", "),
  }
}

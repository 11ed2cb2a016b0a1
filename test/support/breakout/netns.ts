import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/**
 * Two network namespaces of the harness's own. `home` is the machine on which `bottle` runs: loopback, private
 * addresses, one way out. `world` is everything else: it takes every packet for every address, so an attack finds its
 * target wherever it aims, and no packet ever leaves the two.
 */
export interface Namespaces {
  home: Side
  world: Side
  /** What `home` resolves names with. */
  resolver: string
  close(): void
}

export interface Side {
  name: string
  /** The argv that runs something in this namespace, with the resolver of the harness. */
  enter(argv: readonly string[]): string[]
}

/** Addresses of `home` itself, as an attack would name them. */
export const homeAddresses = { v4: "10.99.0.1", link: "198.18.0.1", v6: "fd00:99::1" } as const
const worldLink = { v4: "198.18.0.2", v6: "fd00:98::2" } as const

/** Why the namespaces cannot be made here, or undefined. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's"
  if (process.getuid?.() !== 0) return "not started by root, who alone may make network namespaces"
  for (const program of ["ip", "nsenter", "unshare", "setpriv", "python3"]) {
    if (Bun.which(program) === null) return `${program} is not installed`
  }
  const name = `bb-try-${process.pid}`
  const made = Bun.spawnSync(["ip", "netns", "add", name])
  if (made.exitCode !== 0) return `no network namespace can be made: ${made.stderr.toString().trim()}`
  Bun.spawnSync(["ip", "netns", "del", name])
  return undefined
}

/** Make both, joined by one pair of interfaces. `dir` holds the resolver's file. */
export function makeNamespaces(dir: string): Namespaces {
  const tag = `${process.pid.toString(36)}${Math.random().toString(36).slice(2, 6)}`
  const [home, world] = [`bbh-${tag}`, `bbw-${tag}`]
  const close = () => {
    for (const name of [home, world]) Bun.spawnSync(["ip", "netns", "del", name])
    rmSync(join(dir, "resolv.conf"), { force: true })
  }
  try {
    build(home, world)
  } catch (error) {
    close()
    throw error
  }
  const resolv = join(dir, "resolv.conf")
  writeFileSync(resolv, `nameserver ${worldLink.v4}\noptions timeout:1 attempts:1\n`, { mode: 0o644 })
  const side = (name: string): Side => ({
    name,
    enter: (argv) => [
      ...["nsenter", `--net=/run/netns/${name}`, "unshare", "--mount", "--propagation", "private", "sh", "-c"],
      `mount --bind ${resolv} /etc/resolv.conf && exec "$@"`,
      ...["sh", ...argv],
    ],
  })
  return { home: side(home), world: side(world), resolver: worldLink.v4, close }
}

function build(home: string, world: string): void {
  ip("netns", "add", home)
  ip("netns", "add", world)
  ip("-n", home, "link", "add", "h0", "type", "veth", "peer", "name", "w0", "netns", world)
  for (const [name, device] of [
    [home, "h0"],
    [world, "w0"],
  ] as const) {
    ip("-n", name, "link", "set", "lo", "up")
    ip("-n", name, "link", "set", device, "up")
  }
  ip("-n", home, "addr", "add", `${homeAddresses.link}/30`, "dev", "h0")
  ip("-n", home, "addr", "add", `${homeAddresses.v4}/32`, "dev", "h0")
  ip("-n", home, "addr", "add", `${homeAddresses.v6}/128`, "dev", "h0", "nodad")
  ip("-n", home, "addr", "add", "fd00:98::1/64", "dev", "h0", "nodad")
  ip("-n", world, "addr", "add", `${worldLink.v4}/30`, "dev", "w0")
  ip("-n", world, "addr", "add", `${worldLink.v6}/64`, "dev", "w0", "nodad")
  ip("-n", home, "route", "add", "default", "via", worldLink.v4)
  ip("-n", home, "-6", "route", "add", "default", "via", worldLink.v6)
  // Every address is the world's own; in the main table, so that the way back to home is found first.
  ip("-n", world, "route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "main")
  ip("-n", world, "-6", "route", "add", "local", "::/0", "dev", "lo", "table", "main")
}

function ip(...args: string[]): void {
  const run = Bun.spawnSync(["ip", ...args])
  if (run.exitCode !== 0) throw new Error(`ip ${args.join(" ")}: ${run.stderr.toString().trim()}`)
}

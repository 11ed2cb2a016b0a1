import { afterAll } from "bun:test"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeAuthority } from "../model/pki.ts"
import { requiredParts } from "../require.ts"
import { tempDir } from "../temp.ts"
import { waitFor } from "../wait.ts"
import { upstreamAddresses, upstreamNames } from "./dns.ts"
import { makeNamespaces, type Namespaces, whyNoNamespaces } from "./netns.ts"

/** One thing that arrived at the capture side, or was seen on its way. */
export interface Captured {
  side?: "home" | "world"
  kind: "ready" | "connection" | "data" | "request" | "datagram" | "packet"
  proto?: string
  to?: string
  port?: number
  /** Base64. */
  data?: string
  /** A parsed request's head and, in base64, body. */
  head?: string
  body?: string
  /** The name that a DNS query asked for. */
  name?: string
}

export interface Arena {
  namespaces: Namespaces
  /** The upstream's authority, readable for everyone. */
  caFile: string
  /** Where the harness' files lie, readable for everyone. */
  dir: string
  /** What was captured since the last call. Waits until everything that was sent before the call is in. */
  take(): Promise<Captured[]>
  /** Start a program in `home`; it is ended with the arena. Resolves when it has printed a line. */
  startInHome(argv: readonly string[], env?: Record<string, string>): Promise<Bun.Subprocess>
}

/** Can the harness run here? Says why not on stderr; `BOTTLE_TEST_REQUIRE=netns` makes that an error. */
export function requireArena(): boolean {
  const reason = whyNoNamespaces()
  if (reason === undefined) return true
  if (requiredParts().includes("netns")) throw new Error(`BOTTLE_TEST_REQUIRE names netns, but ${reason}`)
  console.error(`skipped: ${reason}`)
  return false
}

/** Namespaces with a capture side in each, removed after the file's last test. */
export async function makeArena(): Promise<Arena> {
  const dir = tempDir("breakout")
  chmodSync(dir, 0o755)
  const namespaces = makeNamespaces(dir)
  const children: Bun.Subprocess[] = []
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL")
    namespaces.close()
  })
  const authority = makeAuthority(join(dir, "pki"))
  const leaf = authority.issue(...upstreamNames)
  const files = { cert: join(dir, "leaf.crt"), key: join(dir, "leaf.key"), ca: join(dir, "ca.crt") }
  writeFileSync(files.cert, leaf.cert)
  writeFileSync(files.key, leaf.key, { mode: 0o600 })
  writeFileSync(files.ca, authority.cert, { mode: 0o644 })
  chmodSync(join(dir, "pki"), 0o700)
  mkdirSync(join(dir, "log"), { mode: 0o700 })
  const logs = ["home", "world", "wire"].map((name) => join(dir, "log", name))
  const start = (argv: readonly string[], env: Record<string, string> = {}) => {
    // Not one outlives a test run that is killed.
    const child = Bun.spawn(["setpriv", "--pdeathsig", "KILL", "--", ...argv], {
      env: { PATH: process.env.PATH ?? "", ...env },
      cwd: dir,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    })
    children.push(child)
    return child
  }
  const program = (name: string) => join(import.meta.dir, name)
  const capture = (side: "home" | "world", log = "") =>
    start(namespaces[side].enter([process.execPath, program("capture.ts"), side, log, files.cert, files.key]))
  capture("home", logs[0])
  capture("world", logs[1])
  start(namespaces.home.enter([process.execPath, program("sniff.ts"), logs[2] ?? ""]))
  const isReady = (log: string) => existsSync(log) && readFileSync(log, "utf8").includes('"kind":"ready"')
  await waitFor("the capture side", () => logs.every(isReady))

  const read = logs.map(() => 0)
  const readNew = (): Captured[] =>
    logs.flatMap((log, index) => {
      const text = readFileSync(log).subarray(read[index])
      const whole = text.subarray(0, text.lastIndexOf(10) + 1)
      read[index] = (read[index] ?? 0) + whole.length
      const lines = whole
        .toString()
        .split("\n")
        .filter((line) => line !== "")
      return lines.map((line) => JSON.parse(line) as Captured)
    })
  let flushes = 0
  return {
    namespaces,
    caFile: files.ca,
    dir,
    async take() {
      // A datagram of our own to either side comes after everything that was sent before it.
      const mark = `flush-${++flushes}-mark`
      const send = `import socket
for a in ("198.18.0.2", "127.0.0.1"):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"${mark}", (a, 514))`
      Bun.spawnSync(namespaces.home.enter(["python3", "-c", send]))
      const encoded = Buffer.from(mark).toString("base64")
      const all: Captured[] = []
      const seen = () => {
        all.push(...readNew())
        return all.filter((event) => event.data !== undefined && isMark(event, mark)).length >= 4
      }
      await waitFor(`the capture side to have ${encoded}`, seen)
      return all.filter((event) => event.kind !== "ready" && !isMark(event, "flush-"))
    },
    async startInHome(argv, env) {
      const child = start(namespaces.home.enter(argv), env)
      const { value } = await child.stdout.getReader().read()
      if (value === undefined) throw new Error(`${argv[0]} ended before it was ready`)
      return child
    },
  }
}

const isMark = (event: Captured, mark: string): boolean =>
  event.port === 514 && Buffer.from(event.data ?? "", "base64").includes(mark)

/** What the egress sidecar does on the operator's behalf: names of listed hosts, and connections to where they lead. */
export function isOrdinary(event: Captured, listed: readonly string[]): boolean {
  if (event.kind === "datagram") return event.port === 53 && listed.includes(event.name ?? "")
  const toUpstream = upstreamAddresses.some((address) => address === event.to) && event.port === 443
  if (event.kind !== "packet") return toUpstream
  return (
    (event.proto === "tcp" && toUpstream) || (event.proto === "udp" && event.to === "198.18.0.2" && event.port === 53)
  )
}

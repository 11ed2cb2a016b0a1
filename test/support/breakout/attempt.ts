import { randomBytes } from "node:crypto"
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { run } from "../command.ts"
import { makePlace, type Place, placeBinary, type Who } from "../place.ts"
import type { Arena } from "./arena.ts"
import type { Attempt } from "./judge.ts"
import type { Vector } from "./vector.ts"

/** The operator's secret: what listed hosts get and nobody else may. */
export const secret = `tok-${randomBytes(24).toString("hex")}-kot`

/** Canaries of one run: alike in the beginning, then a number for each vector. */
export interface Canaries {
  start: string
  of(vector: Vector): string
}

export function makeCanaries(vectors: readonly Vector[]): Canaries {
  const start = `cn4ry${randomBytes(5).toString("hex")}`
  const numbers = new Map(vectors.map((vector, index) => [vector.name, index]))
  return { start, of: ({ name }) => `${start}x${(numbers.get(name) ?? 0xfff).toString(16).padStart(4, "0")}` }
}

/** A person's machine inside the arena: what `makePlace` makes, with every command run in `home`. */
export interface BesiegedPlace extends Place {
  /** The argv that runs something as this person in `home`. */
  inHome(argv: readonly string[]): string[]
  /** What attacks are told of the host. */
  hints: Record<string, string>
}

export const listedHosts = [
  ...["listed.example", "open.example", "keyed.example", "ws.example"],
  ...["metadata.example", "intranet.example", "loopback.example"],
]

/** The policy under which attacks run: one host by path and method, one by header, one with WebSocket, three traps. */
export function besiegedBottle(caFile: string): string {
  const auth = (scheme: string) => `auth: {scheme: "${scheme}", token_ref: BREAKOUT_TOKEN}`
  const route = (host: string, more: string) => `    - {host: ${host}, ca: ${caFile}, ${more}}`
  return `agent_provider: {template: command}
limits: {pids: 500}
egress:
  log: 2
  routes:
${route("listed.example", `${auth("Bearer")}, matches: [{paths: [{type: prefix, value: /public}], methods: [GET, POST]}]`)}
${route("keyed.example", auth("header:X-Api-Key"))}
${route("ws.example", `${auth("Bearer")}, websocket: true`)}
    - {host: metadata.example, ca: ${caFile}}
    - {host: intranet.example, ca: ${caFile}}
    - {host: loopback.example, ca: ${caFile}}
pipelock: {allowlist: [open.example]}`
}

/** A place in the arena with the bottle `siege`, and on it everything that attacks look for. */
export async function besiege(who: Who, arena: Arena): Promise<BesiegedPlace> {
  const made = makePlace(who, { BREAKOUT_TOKEN: secret, OPERATOR_SECRET: "not-for-the-agent" })
  const inHome = (argv: readonly string[]) => arena.namespaces.home.enter(made.as(argv))
  const bottle: Place["bottle"] = (args, options = {}) =>
    run(inHome([placeBinary(made), ...args]), { cwd: made.work, env: made.env, ...options })
  made.writeBottle("siege", besiegedBottle(arena.caFile))
  const word = randomBytes(16).toString("hex")
  const ssh = join(made.home, ".ssh")
  mkdirSync(ssh, { mode: 0o700 })
  writeFileSync(join(ssh, "id_ed25519"), "a key\n", { mode: 0o600 })
  const tmux = join(made.dir, "tmux-0")
  mkdirSync(tmux)
  if (who === "user") for (const path of [ssh, join(ssh, "id_ed25519")]) chownSync(path, 12_345, 12_345)
  chmodSync(made.dir, 0o777)
  const socket = join(made.dir, "decoy.sock")
  const shm = `0x${randomBytes(4).readUInt32BE(0).toString(16).slice(0, 7)}`
  const script = join(made.dir, "decoy.py")
  copyFileSync(join(import.meta.dir, "decoy.py"), script)
  const argv = made.as(["python3", script, socket, shm, "decoy-on-the-host"])
  const decoy = await arena.startInHome(argv, { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", SECRET_OF_HOST: word })
  const hints = {
    DECOY_PID: String(decoy.pid),
    DECOY_WORD: word,
    DECOY_SHM: shm,
    DECOY_USER: someUser(),
    HOST_HOME: made.home,
    HOST_BOT_HOME: made.botHome,
    HOST_RUNTIME: join(made.dir, "run"),
    HOST_SOCKET: socket,
    HOST_TMUX: tmux,
    HOST_DIR: made.dir,
    SLOT_HEAD: secret.slice(0, 16),
  }
  return { ...made, bottle, inHome, hints }
}

/** The attacks and their means, in a directory that they can read. */
export function writeAttacks(
  dir: string,
  vectors: readonly Vector[],
  canaries: Canaries,
  env: Record<string, string>,
): void {
  for (const name of ["attack.py", "runner.py"]) copyFileSync(join(import.meta.dir, name), join(dir, name))
  const told = vectors.map((vector) => ({
    name: vector.name,
    lang: vector.lang,
    run: vector.run,
    alone: vector.alone === true,
    canary: canaries.of(vector),
  }))
  writeFileSync(join(dir, "vectors.json"), JSON.stringify({ vectors: told, env, timeout: 8 }), { mode: 0o644 })
}

/** The lines that the runner printed. */
export function readAttempts(stdout: string): Attempt[] {
  return stdout.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return []
    const { name, code, output } = JSON.parse(line) as { name: string; code: number; output: string }
    return [{ name, code, output: Buffer.from(output, "base64") }]
  })
}

/** Run attacks in a bottle of this place, as its agent. */
export async function attackInside(
  place: BesiegedPlace,
  vectors: readonly Vector[],
  canaries: Canaries,
): Promise<{ attempts: Attempt[]; stderr: string }> {
  writeAttacks(place.work, vectors, canaries, place.hints)
  // A bottle that root starts copies as a user of its own.
  chmodSync(place.work, 0o755)
  const argv = ["start", "--headless", "--cwd", "--discard", "--bottle", "siege", "--", "python3", "runner.py"]
  const result = await place.bottle(argv, { timeout: 500_000 })
  return { attempts: readAttempts(result.stdout), stderr: result.stderr }
}

/** Run attacks where no fence stands: as root, in `home`, with an open proxy where egress would be. */
export async function attackOutside(
  arena: Arena,
  place: BesiegedPlace,
  vectors: readonly Vector[],
  canaries: Canaries,
): Promise<Attempt[]> {
  const dir = join(arena.dir, "outside")
  if (!existsSync(dir)) mkdirSync(dir)
  writeAttacks(dir, vectors, canaries, place.hints)
  const proxy = "http://127.0.0.1:9099"
  const env = { ...place.env, HTTPS_PROXY: proxy, https_proxy: proxy, HTTP_PROXY: proxy, http_proxy: proxy }
  const argv = arena.namespaces.home.enter(["python3", join(dir, "runner.py")])
  return readAttempts((await run(argv, { cwd: dir, env, timeout: 500_000 })).stdout)
}

function someUser(): string {
  const lines = readFileSync("/etc/passwd", "utf8").trim().split("\n")
  return lines.findLast((line) => Number(line.split(":")[2]) >= 100)?.split(":")[0] ?? "daemon"
}

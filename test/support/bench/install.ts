import { existsSync, statSync } from "node:fs"
import { join } from "node:path"

const peers = join(import.meta.dir, "..", "..", "bench", "peers")
const modules = join(peers, "node_modules")

/** Debian packages of the programs that benches use. */
const packages: Readonly<Record<string, string>> = {
  squid: "squid-openssl",
  mitmdump: "mitmproxy",
  nginx: "nginx-light",
  bwrap: "bubblewrap",
  socat: "socat",
  rg: "ripgrep",
}

/**
 * Install what is missing of the given programs: as root with apt-get, without starting their services; elsewhere
 * only the command is told. Returns a note for each that is still missing.
 */
export function installPrograms(names: readonly string[], say: (text: string) => void): string[] {
  const missing = names.filter(isMissing)
  if (missing.length === 0) return []
  const wanted = missing.map((name) => packages[name] ?? name)
  const install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", ...wanted]
  if (process.getuid?.() === 0 && Bun.which("apt-get") !== null) {
    say(`installing ${wanted.join(" ")}`)
    // RUNLEVEL: the packages' services stay stopped.
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" }
    for (const argv of [["apt-get", "update", "-q"], install]) {
      Bun.spawnSync(argv, { env, stdin: "ignore", stdout: "ignore", stderr: "ignore" })
    }
  }
  return missing.filter(isMissing).map((name) => `${name} is missing: sudo apt-get install ${packages[name] ?? name}`)
}

function isMissing(name: string): boolean {
  // squid without OpenSSL has the same name; only the other one brings the helper that makes certificates.
  if (name === "squid" && !existsSync("/usr/lib/squid/security_file_certgen")) return true
  return Bun.which(name) === null
}

/** Install the npm peers as their lock file says; returns a note when that failed. */
export function installPeers(say: (text: string) => void): string[] {
  const done = join(modules, ".package-lock.json")
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(join(peers, "package-lock.json")).mtimeMs) return []
  say("installing the peers of test/bench/peers")
  const argv = ["npm", "ci", "--prefix", peers, "--no-fund", "--no-audit", "--loglevel=error"]
  const { exitCode } = Bun.spawnSync(argv, { cwd: peers, env: { ...process.env }, stdout: "ignore", stderr: "inherit" })
  return exitCode === 0 ? [] : ["npm ci of test/bench/peers failed: srt is missing"]
}

/** Anthropic's sandbox-runtime with a Node that it runs on. */
export const srt = { path: join(modules, ".bin", "srt"), nodeBin: join(modules, "node", "bin") }

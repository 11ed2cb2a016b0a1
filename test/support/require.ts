import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** The variable with which `npm test` tells its suites why no engine can run a container here. */
export const noEngine = "BOTTLE_TEST_NO_ENGINE"

const root = join(import.meta.dir, "..", "..")
/** Where the pinned agent CLIs are installed. */
export const agentPackages = join(root, "test", "agents", "node_modules")

/** TPM's own entry, as Debian's package has it. */
export const tpm = "/usr/share/tmux-plugin-manager/tpm"

/** Why a part that tests need is not here, or undefined when it is. */
type Look = () => string | undefined

const program = (name: string): Look => {
  return () => (Bun.which(name) === null ? `${name} is not installed` : undefined)
}

const looks: Readonly<Record<string, Look>> = {
  bwrap: () => program("bwrap")() ?? whyNoSandbox(),
  tmux: program("tmux"),
  git: program("git"),
  curl: program("curl"),
  ip: program("ip"),
  wget: program("wget"),
  openssl: program("openssl"),
  strace: program("strace"),
  node: program("node"),
  npm: program("npm"),
  python3: program("python3"),
  pip: program("pip3"),
  shellcheck: program("shellcheck"),
  zsh: program("zsh"),
  tpm: () => (existsSync(tpm) ? undefined : "tmux-plugin-manager is not installed"),
  fish: program("fish"),
  gitleaks: program("gitleaks"),
  pgrep: program("pgrep"),
  dockerd: () => {
    if (process.getuid?.() !== 0) return "dockerd needs root to start"
    return program("dockerd")() ?? process.env[noEngine]
  },
  sshd: () => {
    if (process.getuid?.() !== 0) return "sshd needs root to start"
    return existsSync("/usr/sbin/sshd") ? undefined : "sshd is not installed"
  },
  runsc: () => program("runsc")() ?? whyNoGvisor(),
  busybox: () => {
    if (!existsSync("/bin/busybox")) return "busybox is not installed"
    return isStatic("/bin/busybox") ? undefined : "busybox needs libraries: it goes into images that have none"
  },
  claude: () => (claudeBinary() === undefined ? "claude is not installed in test/agents" : undefined),
  codex: () => {
    const path = join(agentPackages, "@openai", `codex-${process.platform}-${process.arch}`)
    return existsSync(path) ? undefined : "codex is not installed in test/agents"
  },
  pi: () => {
    const path = join(agentPackages, "@earendil-works", "pi-coding-agent", "dist", "bundle", "cli.js")
    return existsSync(path) ? undefined : "pi is not installed in test/agents"
  },
  node24: () => (nodeWithProxy() === undefined ? "node 24 is not installed in test/agents" : undefined),
  root: () => (process.getuid?.() === 0 ? undefined : "not started by root"),
  binary: () => (existsSync(join(root, "dist", "bottle")) ? undefined : "dist/bottle is not built"),
}

/** Whether a program runs without a loader, whose path stands at the begin of one that needs it. */
function isStatic(path: string): boolean {
  return !readFileSync(path).subarray(0, 4096).includes("/ld-")
}

/** Why a part is not here, or undefined when it is. */
export function whyMissing(name: string): string | undefined {
  const look = looks[name]
  if (look === undefined) throw new Error(`no such part: ${name}; known: ${Object.keys(looks).join(", ")}`)
  return look()
}

/**
 * Is this part here? For `describe.skipIf(!requirePart("bwrap"))`. A missing one says why on stderr; one that
 * `BOTTLE_TEST_REQUIRE` names (comma-separated) is an error instead.
 */
export function requirePart(name: string): boolean {
  const reason = whyMissing(name)
  if (reason === undefined) return true
  if (requiredParts().includes(name)) throw new Error(`BOTTLE_TEST_REQUIRE names ${name}, but ${reason}`)
  console.error(`skipped: ${reason}`)
  return false
}

/** What `BOTTLE_TEST_REQUIRE` names. */
export function requiredParts(): string[] {
  return (process.env.BOTTLE_TEST_REQUIRE ?? "").split(",").filter((name) => name !== "")
}

/** The real Claude Code CLI that test/agents pins: a native binary that needs no node. */
export function claudeBinary(): string | undefined {
  const platform = `${process.platform}-${process.arch}`
  const path = join(agentPackages, "@anthropic-ai", `claude-code-${platform}`, "claude")
  return existsSync(path) ? path : undefined
}

/** A node that reads the proxy variables (from 24 on), pinned in test/agents. */
export function nodeWithProxy(): string | undefined {
  const path = join(agentPackages, "node", "bin", "node")
  return existsSync(path) ? path : undefined
}

/** gVisor by itself, as the engine would start it. */
function whyNoGvisor(): string | undefined {
  const argv = ["runsc", "--network=none", "do", "true"]
  const trial = Bun.spawnSync(argv, { env: { ...process.env }, timeout: 20_000, killSignal: "SIGKILL" })
  return trial.exitCode === 0
    ? undefined
    : `gVisor cannot run here: ${trial.stderr.toString().trim().split("\n").at(-1)}`
}

function whyNoSandbox(): string | undefined {
  const trial = Bun.spawnSync(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], { env: { ...process.env } })
  return trial.exitCode === 0 ? undefined : `bwrap cannot make a sandbox here: ${trial.stderr.toString().trim()}`
}

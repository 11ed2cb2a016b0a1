import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import { whyMissing } from "./require.ts"

const root = join(import.meta.dir, "..", "..")

/** Debian packages of what the suites use. */
const packages: Readonly<Record<string, string>> = {
  bwrap: "bubblewrap",
  tmux: "tmux",
  git: "git",
  curl: "curl",
  ip: "iproute2",
  wget: "wget",
  openssl: "openssl",
  python3: "python3",
  pip: "python3-pip",
  shellcheck: "shellcheck",
  zsh: "zsh",
  tpm: "tmux-plugin-manager",
  fish: "fish",
  dockerd: "docker.io",
  busybox: "busybox-static",
  runsc: "runsc",
  sshd: "openssh-server",
  pgrep: "procps",
}

/** Install the programs that are missing where that is ours to do (root, apt-get); elsewhere print the command. */
export function installPrograms(): void {
  const missing = Object.keys(packages).filter((part) =>
    part === "bwrap" ? Bun.which("bwrap") === null : whyMissing(part),
  )
  if (missing.length === 0) return
  const names = [...missing.map((part) => packages[part] ?? part), "ca-certificates"]
  const install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", ...names]
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null) {
    console.error(
      `missing: ${missing.join(", ")}. The suites concerned are skipped. To install:\n  sudo ${install.join(" ")}`,
    )
    return
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  for (const argv of [["apt-get", "update", "-q"], install]) {
    const done = Bun.spawnSync(argv, { env, stdin: "ignore", stdout: "inherit", stderr: "inherit" })
    if (done.exitCode !== 0) console.error(`${argv.join(" ")} failed; the suites concerned are skipped`)
  }
}

/** Install the pinned agent CLIs below test/agents, unless they are as its lock file says. */
export function installAgents(): void {
  const dir = join(root, "test", "agents")
  const done = join(dir, "node_modules", ".package-lock.json")
  if (existsSync(done) && statSync(done).mtimeMs > statSync(join(dir, "package-lock.json")).mtimeMs) return
  console.error("installing the agent CLIs of test/agents")
  const argv = ["npm", "ci", "--prefix", dir, "--no-fund", "--no-audit", "--loglevel=error"]
  const { exitCode } = Bun.spawnSync(argv, { cwd: dir, env: { ...process.env }, stdout: "inherit", stderr: "inherit" })
  if (exitCode !== 0) console.error("npm ci of test/agents failed; the suites concerned are skipped")
}

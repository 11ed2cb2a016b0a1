import { BottleError } from "../../lib/errors.ts"
import { whyNotPrivate } from "../../lib/private-dir.ts"
import type { Machine } from "./machine.ts"

/** One thing looked at. `fail` stops bottles from running here; `warn` takes something away. */
export interface Finding {
  /** Stable kebab-case name. */
  id: string
  status: "ok" | "warn" | "fail"
  detail: string
  /** What to do about it, one line. */
  fix?: string
}

/** Look at everything that bottles need or can use, at the same time, in the order of a report. */
export async function examine(machine: Machine): Promise<Finding[]> {
  const findings = await Promise.all([
    platform(machine),
    backends(machine),
    gvisor(machine),
    runtimeDir(machine),
    stateDir(machine),
    tmux(machine),
    program(machine, "git", ["--version"], "start --cwd copies a repository with it", "install git"),
    program(machine, "gitleaks", ["version"], "what pull brings is not scanned for secrets", "install gitleaks"),
    agent(machine, "claude", "npm install -g @anthropic-ai/claude-code"),
    agent(machine, "codex", "npm install -g @openai/codex"),
    agent(machine, "pi", "npm install -g @earendil-works/pi-coding-agent"),
    environment(machine),
  ])
  return findings.flat()
}

function platform({ platform: system, arch }: Machine): Finding {
  const known = ["linux", "darwin"].includes(system) && ["x64", "arm64"].includes(arch)
  const detail = `${system} ${arch}`
  if (known) return { id: "platform", status: "ok", detail }
  return { id: "platform", status: "fail", detail, fix: "bottle runs on Linux and macOS, x64 and arm64" }
}

/** One backend is enough; the others are then only warnings. */
async function backends(machine: Machine): Promise<Finding[]> {
  const probed = await machine.probeBackends()
  const worst = probed.some(({ availability }) => availability.usable) ? "warn" : "fail"
  return probed.map(({ name, availability }): Finding => {
    const id = `backend-${name}`
    if (!availability.usable) return { id, status: worst, detail: availability.reason, fix: availability.remedy }
    if (availability.warnings.length === 0) return { id, status: "ok", detail: availability.detail }
    return { id, status: "warn", detail: [availability.detail, ...availability.warnings].join("; ") }
  })
}

/** A runtime that is there and does not work stops every docker bottle that does not refuse it. */
async function gvisor(machine: Machine): Promise<Finding[]> {
  const id = "gvisor"
  try {
    const trial = await machine.tryRuntime()
    if (trial === undefined) return []
    const { ok, runtime, detail, fix } = trial
    return [{ id, status: ok ? "ok" : "warn", detail: `${runtime}: ${detail}`, ...(fix === undefined ? {} : { fix }) }]
  } catch (error) {
    const detail = `could not be tried: ${error instanceof Error ? error.message : String(error)}`
    return [{ id, status: "warn", detail, fix: "docker: {runtime: runc} in a bottle does without it" }]
  }
}

function runtimeDir({ paths, lstat, uid }: Machine): Finding {
  const id = "runtime-dir"
  try {
    paths.runtime("x".repeat(40))
  } catch (error) {
    if (!(error instanceof BottleError)) throw error
    return { id, status: "fail", detail: error.message, ...(error.hint === undefined ? {} : { fix: error.hint }) }
  }
  const look = lstat(paths.runtimeRoot)
  const reason = look === undefined ? undefined : whyNotPrivate(paths.runtimeRoot, look, uid)
  if (reason === undefined) return { id, status: "ok", detail: paths.runtimeRoot }
  return { id, status: "fail", detail: reason, fix: `remove ${paths.runtimeRoot}` }
}

function stateDir({ paths: { home }, lstat, uid }: Machine): Finding {
  const id = "state-dir"
  const look = lstat(home)
  if (look === undefined) return { id, status: "ok", detail: `${home} (made by the first bottle init)` }
  if (look.isSymbolicLink()) return { id, status: "ok", detail: `${home} (a link)` }
  const reason = whyNotPrivate(home, look, uid)
  if (reason === undefined) return { id, status: "ok", detail: home }
  if (look.isDirectory() && look.uid === uid) return { id, status: "warn", detail: reason, fix: `chmod 700 ${home}` }
  return { id, status: "fail", detail: reason, fix: "set BOT_BOTTLE_HOME to a directory of your own" }
}

/** Popups came with 3.2. */
async function tmux(machine: Machine): Promise<Finding> {
  const finding = await program(machine, "tmux", ["-V"], "popups and the dashboard need it", "install tmux")
  const [, major, minor] = /(\d+)\.(\d+)/.exec(finding.detail) ?? []
  if (finding.status !== "ok" || major === undefined || Number(major) * 100 + Number(minor) >= 302) return finding
  return { ...finding, status: "warn", detail: `${finding.detail} has no popups`, fix: "install tmux 3.2 or newer" }
}

async function program(
  machine: Machine,
  name: string,
  args: readonly string[],
  purpose: string,
  fix: string,
): Promise<Finding> {
  const path = machine.which(name)
  if (path === undefined) return { id: name, status: "warn", detail: `not found; ${purpose}`, fix }
  const said = await machine.firstLine([path, ...args])
  if (said === undefined)
    return { id: name, status: "warn", detail: `${path} does not answer`, fix: `run ${name} by hand` }
  return { id: name, status: "ok", detail: said }
}

function agent({ which }: Machine, name: string, install: string): Finding {
  const path = which(name)
  if (path !== undefined) return { id: `agent-${name}`, status: "ok", detail: path }
  return { id: `agent-${name}`, status: "warn", detail: "not found", fix: install }
}

/** Variables that change what a Bun program is. Ours are cleaned at start-up; the shell's are still a surprise. */
function environment({ scrubbed, env }: Machine): Finding {
  const names = new Set([...scrubbed, ...Object.keys(env).filter((name) => name.startsWith("BUN_"))])
  if (names.size === 0) return { id: "environment", status: "ok", detail: "nothing dangerous is inherited" }
  const list = [...names].sort()
  return {
    id: "environment",
    status: "warn",
    detail: `${list.join(", ")} set where bottle was started`,
    fix: `unset ${list.join(" ")}`,
  }
}

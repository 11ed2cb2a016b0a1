import { lstatSync, type Stats } from "node:fs"
import type { Availability, RuntimeTrial } from "../../backends/backend.ts"
import type { Paths } from "../../lib/paths.ts"
import type { Shell } from "../_shell.ts"

/** What the checks may ask of this machine; tests give a pretended one. */
export interface Machine {
  platform: string
  arch: string
  uid: number | undefined
  env: Readonly<Record<string, string | undefined>>
  paths: Paths
  /** Dangerous variables that were set when bottle started. */
  scrubbed: readonly string[]
  /** A program on PATH, as a bottle would find it. */
  which(name: string): string | undefined
  /** First line that a program prints; undefined when it fails or takes over three seconds. */
  firstLine(argv: readonly string[]): Promise<string | undefined>
  lstat(path: string): Pick<Stats, "isSymbolicLink" | "isDirectory" | "uid" | "mode"> | undefined
  probeBackends(): Promise<{ name: string; availability: Availability }[]>
  /** What came of starting a stronger runtime of the docker backend; undefined: it has none, or cannot run. */
  tryRuntime(): Promise<RuntimeTrial | undefined>
}

/** The real machine, behind the shell of a command. */
export async function realMachine(shell: Shell): Promise<Machine> {
  const { hostLook } = await import("../../providers/host-look.ts")
  const { backendFor, builtBackends } = await import("../../bottle/backends.ts")
  const host = hostLook(shell.env.PATH ?? "")
  return {
    platform: process.platform,
    arch: process.arch,
    uid: process.getuid?.(),
    env: shell.env,
    paths: shell.paths,
    scrubbed: shell.scrubbed,
    which: (name) => host.which(name),
    firstLine: (argv) => firstLine(argv, shell.env),
    lstat: (path) => lstatSync(path, { throwIfNoEntry: false }),
    tryRuntime: () => tryRuntime(shell.paths),
    probeBackends: () =>
      Promise.all(builtBackends.map(async (name) => ({ name, availability: await (await backendFor(name)).probe() }))),
  }
}

/** Started only where bottles could be: a trial makes the image that they need as well. */
async function tryRuntime(paths: Paths): Promise<RuntimeTrial | undefined> {
  const { backendFor } = await import("../../bottle/backends.ts")
  const backend = await backendFor("docker")
  const look = await backend.probe()
  if (!look.usable || !look.runtimes?.some((name) => name.startsWith("runsc"))) return undefined
  return backend.tryRuntime?.(process.execPath, paths.runtimeRoot)
}

async function firstLine(argv: readonly string[], env: Machine["env"]): Promise<string | undefined> {
  const child = Bun.spawn([...argv], {
    env: { ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    timeout: 3000,
    killSignal: "SIGKILL",
  })
  const [text, code] = await Promise.all([child.stdout.text(), child.exited])
  return code === 0 ? text.split("\n")[0]?.trim() : undefined
}

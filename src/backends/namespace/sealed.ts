import { BottleError } from "../../lib/errors.ts"
import type { SealedResult, SealedRun } from "../backend.ts"
import type { Boundary, Part } from "./boundary.ts"
import { startBoundary, type Tools } from "./bwrap.ts"
import { killAll, markProcess } from "./host-processes.ts"
import { programParts, settingParts } from "./host-system.ts"
import type { Identity } from "./identity.ts"

export interface SealedDeps {
  tools: Tools
  become: Identity | undefined
  seccomp: Uint8Array
  scratch: string
  marker: string
  /** Whether a process limit counts this sandbox alone. */
  countsPerNamespace: boolean
}

const mostStderr = 64 * 1024
const lateMilliseconds = 1_000
const temporaryBytes = 1024 ** 3

/** Seconds of processor time, blocks of 512 bytes a file, processes: a hostile tree gets no more to work with. */
function limitScript(run: SealedRun, deps: SealedDeps): string {
  const seconds = Math.ceil(run.timeout / 1000) + 1
  // dash says -p for processes, bash -u; whichever is not known fails alone.
  const processes = deps.countsPerNamespace ? "ulimit -p 512 2>/dev/null || ulimit -u 512 || exit 126; " : ""
  return `ulimit -c 0 && ulimit -t ${seconds} && ulimit -n 1024 || exit 126; ${processes}exec "$@"`
}

/** A boundary with programs, the named mounts, and nothing else: no network, home, /etc of a person's, or peer. */
function sealedBoundary(run: SealedRun, deps: SealedDeps): Boundary {
  const mounts = run.mounts.map((mount): Part => ({ kind: "bind", ...mount }))
  return {
    shareNetwork: false,
    hostname: "sealed",
    cwd: run.cwd,
    dieWithParent: true,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/nonexistent", LANG: "C.UTF-8", LC_ALL: "C.UTF-8" },
    parts: [
      { kind: "proc" },
      { kind: "dev" },
      ...programParts(),
      ...settingParts(),
      { kind: "tmpfs", target: "/tmp", mode: 0o1777, size: temporaryBytes },
      ...mounts,
      { kind: "remount-readonly", target: "/" },
    ],
    argv: ["/bin/sh", "-c", limitScript(run, deps), "sealed", ...run.argv],
  }
}

/**
 * Run a program over foreign trees. Resolves with its exit code and output; rejects with a BottleError when it takes
 * too long or says more than `maxOutput`, after everything in the sandbox is gone.
 */
export async function runSealed(run: SealedRun, deps: SealedDeps): Promise<SealedResult> {
  const { monitor, pid } = startBoundary({
    ...deps,
    boundary: sealedBoundary(run, deps),
    stdin: run.input === undefined ? "ignore" : "pipe",
    stdout: "pipe",
    stderr: "pipe",
  })
  let stopped: Why | undefined
  let refusal: unknown
  const stop = async (why: Why) => {
    stopped ??= why
    const first = await pid
    const mark = first === undefined ? undefined : markProcess(first)
    if (mark === undefined) monitor.kill("SIGKILL")
    else await killAll([mark])
  }
  const timer = setTimeout(() => void stop("time"), run.timeout)
  try {
    const refuse = (error: unknown) => {
      refusal ??= error
      void stop("refusal")
    }
    const feeding = feed(monitor.stdin, run.input).catch(refuse)
    const [stdout, stderr] = await Promise.all([
      collect(monitor.stdout, run.maxOutput, () => void stop("output"), run.onOutput).catch((error) => {
        refuse(error)
        return new Uint8Array(0)
      }),
      collect(monitor.stderr, mostStderr, () => {}),
    ])
    const exitCode = await monitor.exited
    // Bytes that came after its end are nobody's: what still feeds is not waited for.
    await Promise.race([feeding, Bun.sleep(lateMilliseconds)])
    if (stopped === "refusal") throw refusal
    if (stopped !== undefined) throw stoppedError(stopped, run)
    return { exitCode, stdout, stderr: new TextDecoder().decode(stderr) }
  } finally {
    clearTimeout(timer)
  }
}

type Why = "time" | "output" | "refusal"

function stoppedError(why: "time" | "output", run: SealedRun): BottleError {
  const [program] = run.argv
  return new BottleError(
    why === "time"
      ? `${program} took longer than ${run.timeout} ms and was ended`
      : `${program} wrote more than ${run.maxOutput} bytes and was ended`,
    { code: why === "time" ? "sealed-timeout" : "sealed-output", exit: "failed" },
  )
}

/** Rejects with what its source throws; a program that wants no more is no error, its exit code says what that means. */
async function feed(stdin: Bun.Subprocess["stdin"], input: SealedRun["input"]): Promise<void> {
  if (stdin === undefined || stdin === null || typeof stdin === "number" || input === undefined) return
  for await (const chunk of input instanceof Uint8Array ? [input] : input) {
    try {
      stdin.write(chunk)
      await stdin.flush()
    } catch {
      return
    }
  }
  try {
    await stdin.end()
  } catch {
    // It has ended already.
  }
}

/** At most `most` bytes of a stream, kept or given away; on more, says so and reads the rest away. */
async function collect(
  stream: Bun.Subprocess["stdout"],
  most: number,
  exceeded: () => void,
  take?: (chunk: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  if (!(stream instanceof ReadableStream)) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const bytes of stream as ReadableStream<Uint8Array>) {
    if (size > most) continue
    size += bytes.length
    if (size > most) exceeded()
    else if (take === undefined) parts.push(bytes)
    else await take(bytes)
  }
  return Buffer.concat(parts)
}

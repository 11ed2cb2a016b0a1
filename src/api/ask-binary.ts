import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { delimiter, dirname, isAbsolute, join } from "node:path"
import { fileURLToPath } from "node:url"
import { BottleError } from "../lib/errors.ts"
import type { ApiReport, ApiRequest } from "./wire.ts"

/** Only what every JavaScript runtime has: this runs in the caller's program, not in ours. */

export interface HostOptions {
  /** The compiled `bottle`. Default: the one built in this package, else the one on PATH. */
  binary?: string
  /** The environment it runs in and finds secrets in. Default: the caller's own. */
  env?: Readonly<Record<string, string | undefined>>
}

interface Watching {
  onOutput?: (chunk: Uint8Array, stream: "stdout" | "stderr") => void
  signal?: AbortSignal
}

/** Ask `bottle` one thing and wait for its answer. Throws `BottleError`. */
export async function askBinary(request: ApiRequest, options: HostOptions & Watching): Promise<unknown> {
  const { signal } = options
  const env = options.env ?? process.env
  if (signal?.aborted) throw aborted()
  const binary = options.binary ?? findBinary(env)
  const child = spawn(binary, ["api"], { stdio: ["pipe", "pipe", "pipe"], env: { ...env } })
  const abort = () => void child.kill("SIGTERM")
  signal?.addEventListener("abort", abort, { once: true })
  try {
    child.stdin.on("error", () => undefined)
    // Left open: its closing would say that nobody waits any more.
    child.stdin.write(`${JSON.stringify(request)}\n`)
    const { report, how } = await answerOf(child, options.onOutput)
    if (report?.event === "done") return report.value
    if (signal?.aborted) throw aborted()
    throw report === undefined ? noAnswer(binary, how) : failure(report)
  } finally {
    signal?.removeEventListener("abort", abort)
    child.kill("SIGTERM")
  }
}

type LastReport = Exclude<ApiReport, { event: "output" }>

/** Its last report, or how it ended without one. Events, not iterators: those fail in Bun when nothing was started. */
function answerOf(
  child: ChildProcessWithoutNullStreams,
  onOutput: Watching["onOutput"],
): Promise<{ report: LastReport | undefined; how: string }> {
  return new Promise((resolve, reject) => {
    let report: LastReport | undefined
    let rest = ""
    let complaint = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n")
      rest = lines.pop() ?? ""
      try {
        for (const line of lines) {
          const read = JSON.parse(line) as ApiReport
          if (read.event === "output") onOutput?.(Buffer.from(read.data, "base64"), read.stream)
          else report = read
        }
      } catch (error) {
        // Something else than reports, or a listener that threw: nothing that follows is of use.
        child.kill("SIGTERM")
        reject(error)
      }
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-2_000)
    })
    const end = (how: string) => resolve({ report, how: complaint.trim().split("\n").at(-1) || how })
    child.once("error", (error) => end(error.message))
    child.once("close", (code, killed) => end(`it ended with ${killed ?? code}`))
  })
}

/** Beside this module, as it lies in the package: `src/api/`, or built below `dist/api/`. */
function findBinary(env: Readonly<Record<string, string | undefined>>): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const built = [join(here, "..", "..", "dist", "bottle"), join(here, "..", "..", "bottle")]
  const path = (env.PATH ?? "").split(delimiter).filter(isAbsolute)
  const found = [...built, ...path.map((directory) => join(directory, "bottle"))].find(isProgram)
  if (found !== undefined) return found
  throw new BottleError("the compiled bottle is neither in this package nor on PATH", {
    code: "no-binary",
    exit: 1,
    hint: "npm run build, or give its path as the option `binary`",
  })
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function failure(report: Extract<ApiReport, { event: "failed" }>): BottleError {
  const { code, message, exitCode, hint, slug } = report
  const more = { ...(hint === undefined ? {} : { hint }), ...(slug === undefined ? {} : { slug }) }
  return new BottleError(message, { code, exit: exitCode, ...more })
}

function noAnswer(binary: string, why: string): BottleError {
  return new BottleError(`${binary} gave no answer: ${why}`, {
    code: "binary",
    exit: 1,
    hint: "it must be the bottle of this package's version",
  })
}

function aborted(): BottleError {
  return new BottleError("the session was aborted", { code: "aborted", exit: 1 })
}

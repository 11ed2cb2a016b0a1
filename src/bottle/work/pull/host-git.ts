import { isAbsolute } from "node:path"
import { BottleError } from "../../../lib/errors.ts"

/**
 * The operator's own repository, written by the operator's own git: the only git that runs outside of a sandbox. Its
 * settings may still be somebody else's (a directory that came with its .git), so hooks, monitors, transports and
 * maintenance are off, and only commands are used that touch neither working tree nor index.
 */
export interface OperatorGit {
  /** The git directory, absolute. */
  readonly dir: string
  run(args: readonly string[], input?: string): Promise<{ code: number; stdout: string; stderr: string }>
  /** Like `run`; a failure is a `BottleError` in git's own words. */
  must(what: string, args: readonly string[], input?: string): Promise<string>
}

const off = [
  ...["core.hooksPath=/dev/null", "core.fsmonitor=false", "core.alternateRefsCommand=false", "core.pager=cat"],
  ...["gc.auto=0", "maintenance.auto=false", "protocol.allow=never", "core.logAllRefUpdates=always"],
].flatMap((setting) => ["-c", setting])

/** Undefined: the directory is in no repository. Throws `BottleError` where there is no git, or git refuses the repository. */
export async function openOperatorGit(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<OperatorGit | undefined> {
  const path = (env.PATH ?? "").split(":").filter(isAbsolute).join(":")
  const program = Bun.which("git", { PATH: path })
  if (program === null) {
    throw new BottleError("git is not on PATH", { code: "no-git", exit: "missingPart", hint: "install git" })
  }
  const run: OperatorGit["run"] = async (args, input = "") => {
    const child = Bun.spawn([program, "--no-replace-objects", "-C", directory, ...off, ...args], {
      env: gitEnvironment(env, path),
      stdin: new TextEncoder().encode(input),
      stdout: "pipe",
      stderr: "pipe",
    })
    const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
    return { code, stdout, stderr }
  }
  const found = await run(["rev-parse", "--absolute-git-dir"])
  if (found.code !== 0) {
    if (!/dubious ownership|unsafe/.test(found.stderr)) return undefined
    throw new BottleError(`git does not trust the repository at ${directory}: it belongs to somebody else`, {
      code: "foreign-repository",
      exit: "failed",
      hint: "pull as its owner, or into another one with --into DIR",
    })
  }
  return {
    dir: found.stdout.trimEnd(),
    run,
    async must(what, args, input) {
      const done = await run(args, input)
      if (done.code === 0) return done.stdout
      throw new BottleError(`${what}: ${lastWords(done.stderr)}`, {
        code: "operator-git",
        exit: "failed",
        hint: "nothing was changed but, at most, objects that nothing refers to",
      })
    },
  }
}

/** Nothing of the caller's that steers git, but for where the operator's own settings are. */
function gitEnvironment(env: Readonly<Record<string, string | undefined>>, path: string): Record<string, string> {
  const kept = ["HOME", "XDG_CONFIG_HOME"].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))
  return {
    ...Object.fromEntries(kept),
    PATH: path,
    LC_ALL: "C",
    GIT_ALLOW_PROTOCOL: "none",
    GIT_NO_LAZY_FETCH: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_PAGER: "cat",
  }
}

function lastWords(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(0, 300) || "git gave no reason"
}

import { readFileSync } from "node:fs"
import { change, operator, viewPolicy } from "../bottle/proposals/ask.ts"
import { BottleError, ExitCode } from "../lib/errors.ts"
import { diffLines, outcomeLines, scopeWords } from "../ui/proposal-lines.ts"
import { safeText } from "../ui/safe-text.ts"
import { usageError } from "./_command.ts"
import { editText } from "./_editor.ts"
import type { Shell } from "./_shell.ts"
import { checkSlug } from "./_slug.ts"
import { exitOf } from "./proposals/exit.ts"

export interface PolicyArgs {
  verb: "show" | "edit"
  slug: string
  file: string | undefined
  json: boolean
}

/** `bottle routes` and `bottle allowlist`: what is in force in a running bottle, shown or edited for this session. */
export async function runPolicy(what: "routes" | "allowlist", args: PolicyArgs, shell: Shell): Promise<number> {
  const slug = checkSlug(args.slug)
  if (args.verb === "show" && args.file !== undefined) throw usageError("--file goes with edit")
  return args.verb === "show" ? show(what, slug, args.json, shell) : edit(what, slug, args, shell)
}

async function show(what: "routes" | "allowlist", slug: string, json: boolean, shell: Shell): Promise<number> {
  const policy = await viewPolicy(shell.paths, slug)
  if (json) {
    const { hash, grants } = policy
    shell.printJson({ bottle: slug, hash, [what]: policy[what], grants })
    return ExitCode.ok
  }
  shell.print(safeText(policy[what].trimEnd(), 1_000_000, { lines: true }))
  for (const { seq, network } of policy.images) {
    const words = network ? "its image, built with a network" : "its image"
    shell.log.info(`line ${seq}: ${words}; take it back, from the next resume on: bottle undo ${seq} ${slug}`)
  }
  for (const { seq, scope, until, what: granted } of policy.grants) {
    shell.log.info(`line ${seq}: ${granted} ${scopeWords(scope, until)}; take it back: bottle undo ${seq} ${slug}`)
  }
  return ExitCode.ok
}

async function edit(what: "routes" | "allowlist", slug: string, args: PolicyArgs, shell: Shell): Promise<number> {
  const policy = await viewPolicy(shell.paths, slug)
  if (args.file === undefined && !shell.terminal.interactive) throw usageError("nobody is here to edit", "--file PATH")
  const before = policy[what]
  let text = args.file === undefined ? await editText(before, suffixes[what], shell.env) : readText(args.file)
  for (;;) {
    if (text.trimEnd() === before.trimEnd()) {
      if (args.json) shell.printJson({ bottle: slug, outcome: { kind: "unchanged" } })
      else shell.log.info(`unchanged: ${what} of ${slug}`)
      return ExitCode.ok
    }
    const outcome = await change(shell.paths, slug, { op: "edit", what, text, hash: policy.hash, by: operator() })
    if (args.json) shell.printJson({ bottle: slug, outcome })
    else {
      for (const line of outcomeLines(outcome, what, slug)) shell.log.info(line)
      if (outcome.kind === "done") for (const line of diffLines(outcome.applied.diff)) shell.print(line)
    }
    const again = outcome.kind === "refused" && args.file === undefined && !args.json
    if (!again || !(await shell.terminal.confirm("edit again?", ""))) return exitOf(outcome)
    text = await editText(text, suffixes[what], shell.env)
  }
}

const suffixes = { routes: ".yaml", allowlist: ".txt" } as const

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? "unknown error"
    throw new BottleError(`${path} cannot be read (${why})`, { code: "file", exit: "usage", cause })
  }
}

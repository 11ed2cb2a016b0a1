import { readdirSync } from "node:fs"
import { join } from "node:path"
import { ExitCode } from "../lib/errors.ts"
import type { Paths } from "../lib/paths.ts"
import { isSlug } from "../lib/slug.ts"
import { isName } from "../manifest/names.ts"
import { defineCommand } from "./_command.ts"
import { type NameKind, nameKinds } from "./completions/tree.ts"

/**
 * Names for a completion script, one a line, from file names alone. A shell expands what it is offered, so only what
 * has the exact form of a name is printed: a file that is called otherwise is not one of ours.
 */
export default defineCommand({
  meta: { name: "__complete", description: "List names for a completion script" },
  args: {
    kind: { type: "positional", required: true, options: nameKinds, description: "Kind of names" },
    second: { type: "positional", required: false, options: nameKinds, description: "One more kind" },
    third: { type: "positional", required: false, options: nameKinds, description: "One more kind" },
  },
  async run({ args, shell }) {
    const wanted = [args.kind, args.second, args.third].filter((kind) => kind !== undefined)
    const names = new Set(wanted.flatMap((kind) => list(kind, shell.paths, shell.cwd)))
    if (names.size > 0) shell.print([...names].sort().join("\n"))
    return ExitCode.ok
  },
})

function list(kind: NameKind, paths: Paths, cwd: string): string[] {
  switch (kind) {
    case "slugs":
      return fileNames(paths.stateRoot).filter(isSlug)
    case "ended":
      return fileNames(paths.logs).filter(isSlug)
    case "agents":
      return [paths.agents, join(cwd, ".bot-bottle", "agents")].flatMap(manifestNames)
    case "bottles":
      return manifestNames(paths.bottles)
    case "proposals":
      return fileNames(paths.queue)
        .filter(isSlug)
        .flatMap((slug) => fileNames(join(paths.queue, slug)))
        .flatMap((name) => /^(p[0-9a-z]{10})\.proposal\.json$/.exec(name)?.[1] ?? [])
  }
}

function manifestNames(folder: string): string[] {
  return fileNames(folder)
    .filter((name) => name.endsWith(".md"))
    .map((name) => name.slice(0, -".md".length))
    .filter(isName)
}

function fileNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

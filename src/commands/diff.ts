import { isTerminal } from "../lib/stdio.ts"
import { defineCommand, usageError } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "diff", description: "Show what the agent changed in its workspace" },
  args: {
    slug: { type: "positional", description: "Bottle, running or kept", required: true },
    stat: { type: "boolean", description: "Count lines a file instead" },
    "name-only": { type: "boolean", description: "Names instead" },
    ignored: { type: "boolean", description: "Show files that git would ignore, too" },
    json: { type: "boolean", description: "Print the changed files as data" },
  },
  examples: ["bottle diff claude-x7k2p", "bottle diff claude-x7k2p | git apply --check"],
  async run({ args, shell }) {
    const slug = checkSlug(args.slug)
    if ([args.stat, args["name-only"], args.json].filter(Boolean).length > 1)
      throw usageError("--stat, --name-only and --json exclude each other")
    const work = await import("../bottle/work/diff.ts")
    if (args.json) {
      const { files, notes } = await work.listChanges(shell.paths, slug, args.ignored)
      shell.printJson({ slug, files, ...notes })
      return 0
    }
    const { diffSink } = await import("../ui/diff-text.ts")
    const { byteSink } = await import("../lib/stdio.ts")
    const sink = diffSink(byteSink(1), isTerminal(1), shell.env.NO_COLOR === undefined)
    const form = args.stat ? "stat" : args["name-only"] ? "names" : "patch"
    const notes = await work.diffBottle(shell.paths, slug, { form, ignored: args.ignored, sink: sink.take })
    await sink.end()
    if (!sink.any) shell.log.info(`${slug}: nothing is changed`)
    const { diffNoteLines } = await import("../ui/diff-text.ts")
    for (const line of diffNoteLines(notes)) shell.log.info(line)
    return 0
  },
})

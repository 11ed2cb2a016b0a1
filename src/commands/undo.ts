import { defineCommand, usageError } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "undo", description: "Take back an approval or an edit that is in force" },
  args: {
    line: { type: "positional", required: true, description: "Its line in the bottle's audit, as approve printed it" },
    slug: { type: "positional", description: "Bottle, where several have such a line" },
    json: { type: "boolean", description: "Print data" },
  },
  examples: ["bottle undo 14", "bottle undo 14 claude-x7k2p"],
  async run({ args, shell }) {
    const seq = /^[1-9]\d{0,8}$/.test(args.line) ? Number(args.line) : undefined
    if (seq === undefined) throw usageError("undo needs a line's number", "what is in force: bottle routes show SLUG")
    const [{ bottleOfApproval }, { undo }, { diffLines, outcomeLines }, { exitOf }] = await Promise.all([
      import("../bottle/proposals/ask.ts"),
      import("../bottle/proposals/undo.ts"),
      import("../ui/proposal-lines.ts"),
      import("./proposals/exit.ts"),
    ])
    const slug = args.slug === undefined ? bottleOfApproval(shell.paths, seq) : checkSlug(args.slug)
    const outcome = await undo(shell.paths, slug, seq)
    if (args.json) shell.printJson({ bottle: slug, outcome })
    else {
      for (const line of outcomeLines(outcome, `line ${seq}`, slug)) shell.log.info(line)
      if (outcome.kind === "done") for (const line of diffLines(outcome.applied.diff)) shell.print(line)
    }
    return exitOf(outcome)
  },
})

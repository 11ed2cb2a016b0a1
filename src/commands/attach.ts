import { defineCommand, usageError } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "attach", description: "Enter a running bottle's agent" },
  args: { slug: { type: "positional", description: "Running bottle", required: true } },
  examples: ["bottle attach claude-x7k2p"],
  async run({ args, shell }) {
    const slug = checkSlug(args.slug)
    if (!shell.terminal.interactive) throw usageError("attach needs a terminal")
    const { runAttached } = await import("./_session.ts")
    return runAttached(slug, { tty: true, stdin: true }, shell)
  },
})

import { defineCommand } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "logs", description: "Show a bottle's logs, also after its end" },
  args: {
    slug: { type: "positional", description: "Bottle, running, kept or ended", required: true },
    source: {
      type: "enum",
      options: ["bringup", "sidecars", "teardown", "egress"],
      description: "One of its logs; all without it",
    },
    follow: { type: "boolean", alias: "f", description: "Go on as lines are written, until the bottle ends" },
  },
  examples: ["bottle logs claude-x7k2p", "bottle logs claude-x7k2p -f --source egress"],
  async run({ args, shell }) {
    const slug = checkSlug(args.slug)
    const { readLogs } = await import("../bottle/logs.ts")
    const { safeText } = await import("../ui/safe-text.ts")
    for await (const { source, line } of readLogs(shell.paths, slug, args.source, args.follow)) {
      shell.print(args.source === undefined ? `${source.padEnd(8)} ${safeText(line)}` : safeText(line))
    }
    return 0
  },
})

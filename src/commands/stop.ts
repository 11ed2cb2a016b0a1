import { defineCommand } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "stop", description: "End a bottle; keep its state if there is anything to lose" },
  args: {
    slug: { type: "positional", description: "Running bottle", required: true },
    json: { type: "boolean", description: "Print how it was settled as data" },
  },
  examples: ["bottle stop claude-x7k2p"],
  async run({ args, shell }) {
    const slug = checkSlug(args.slug)
    const { stopBottle } = await import("../bottle/stop.ts")
    const { settledLines } = await import("../bottle/settle.ts")
    const settled = await stopBottle(shell.paths, slug)
    if (args.json) shell.printJson({ slug, ...settled })
    else for (const line of settledLines(slug, settled)) shell.log.info(line)
    return 0
  },
})

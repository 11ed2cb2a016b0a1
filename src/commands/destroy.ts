import { defineCommand } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "destroy", description: "End a bottle and remove everything it left" },
  args: {
    slug: { type: "positional", description: "Bottle, running or kept", required: true },
    yes: { type: "boolean", description: "Do not ask" },
  },
  examples: ["bottle destroy claude-x7k2p --yes"],
  async run({ args, shell }) {
    const slug = checkSlug(args.slug)
    const { destroyBottle } = await import("../bottle/stop.ts")
    const { existsSync } = await import("node:fs")
    const { join } = await import("node:path")
    // One that was there once and is gone is as it should be; a slug that nobody knows may be mistyped.
    if (!existsSync(shell.paths.state(slug)) && existsSync(join(shell.paths.logs, slug))) {
      shell.log.info(`${slug}: gone already`)
      return 0
    }
    if (!args.yes) {
      const sure = await shell.terminal.confirm(`remove ${slug} and all its work?`, "pass --yes")
      if (!sure) throw (await import("../lib/terminal.ts")).cancelled()
    }
    await destroyBottle(shell.paths, slug)
    shell.log.info(`${slug}: destroyed`)
    return 0
  },
})

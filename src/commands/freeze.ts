import { defineCommand } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "freeze", description: "End a bottle and keep it, whole, to be resumed" },
  args: {
    slug: { type: "positional", description: "Bottle, running or kept", required: true },
    yes: { type: "boolean", description: "Do not ask" },
    json: { type: "boolean", description: "Print what was frozen as data" },
  },
  examples: ["bottle freeze claude-x7k2p", "bottle freeze claude-x7k2p --yes --json"],
  async run({ args, shell }) {
    const slug = checkSlug(args.slug)
    const { existsSync } = await import("node:fs")
    if (!existsSync(shell.paths.state(slug))) throw (await import("../bottle/client.ts")).unknownSlug(slug)
    if (!args.yes) {
      const sure = await shell.terminal.confirm(`end ${slug} and freeze it?`, "pass --yes")
      if (!sure) throw (await import("../lib/terminal.ts")).cancelled()
    }
    const { freeze } = await import("../bottle/freeze.ts")
    const frozen = await freeze(shell.paths, slug)
    if (args.json) shell.printJson({ slug, state: "frozen", changed: frozen !== undefined, ...frozen })
    else for (const line of frozenLines(slug, frozen)) shell.log.info(line)
    return 0
  },
})

function frozenLines(slug: string, frozen: { bytes: number; members: number; left: number } | undefined): string[] {
  if (frozen === undefined) return [`${slug}: frozen already`]
  const { bytes, members, left } = frozen
  return [
    `${slug}: frozen, ${members} files and directories, ${(bytes / 2 ** 20).toFixed(1)} MiB`,
    ...(left === 0 ? [] : [`  left out: ${left} of no use in a copy (a pipe, a device, a name too long)`]),
    `  go on:  bottle resume ${slug}`,
    `  drop:   bottle destroy ${slug}`,
  ]
}

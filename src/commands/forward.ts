import { defineCommand, usageError } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "forward", description: "View a server of the agent's on 127.0.0.1, while this runs" },
  args: {
    slug: { type: "positional", description: "Running bottle", required: true },
    port: { type: "positional", description: "PORT inside, or PORT:LOCAL (default: the same here)", required: true },
  },
  examples: ["bottle forward claude-x7k2p 5173", "bottle forward claude-x7k2p 3000:8080"],
  async run({ args, shell }) {
    const slug = checkSlug(args.slug)
    const { port, local } = readPorts(args.port)
    const { askKeeper } = await import("../bottle/client.ts")
    await askKeeper(shell.paths, slug, { op: "status" })
    const { startForward } = await import("../bottle/work/forward/forward.ts")
    let said = ""
    const failed = (why: string) => {
      // A page tries again and again.
      if (why !== said) shell.log.warn(why)
      said = why
    }
    const forward = await startForward(shell.paths, { slug, port, local, failed })
    shell.print(`http://127.0.0.1:${forward.port}/`)
    shell.log.info(`${slug}: its port ${port} is on 127.0.0.1:${forward.port} until Ctrl-C`)
    shell.log.warn("a page from there runs in your browser, which has the network that the bottle has not")
    await untilEnded(async () => (await askKeeper(shell.paths, slug, { op: "status" })).ok)
    await forward.close()
    shell.log.info(`${slug}: ended`)
    return 0
  },
})

/** Ctrl-C ends this process; so does the bottle's end. */
async function untilEnded(lives: () => Promise<boolean>): Promise<void> {
  while (await lives().catch(() => false)) await Bun.sleep(2000)
}

function readPorts(text: string): { port: number; local: number } {
  const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text)
  const port = Number(match?.[1])
  const local = match?.[2] === undefined ? port : Number(match[2])
  if (match === null || port < 1 || port > 65_535 || local > 65_535)
    throw usageError(`${text}: expected PORT or PORT:LOCAL`, "for example 5173, or 5173:8080; LOCAL 0 takes a free one")
  return { port, local }
}

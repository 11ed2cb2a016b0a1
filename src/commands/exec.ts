import { defineCommand, usageError } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "exec", description: "Run a program inside a running bottle" },
  args: {
    slug: { type: "positional", description: "Running bottle", required: true },
    interactive: { type: "boolean", alias: "i", description: "Pass on standard input" },
    tty: { type: "boolean", alias: "t", description: "Give it a terminal" },
  },
  rest: { name: "argv", description: "The program and its arguments" },
  examples: ["bottle exec claude-x7k2p -- ls -l", "bottle exec claude-x7k2p -it -- sh"],
  async run({ args, rest, shell }) {
    const slug = checkSlug(args.slug)
    if (rest === undefined || rest.length === 0) throw usageError("exec needs a command after --")
    if (args.tty && !shell.terminal.interactive) throw usageError("-t needs a terminal")
    const { runBeside } = await import("./_session.ts")
    return runBeside(slug, [...rest], { tty: args.tty, stdin: args.interactive || args.tty }, shell)
  },
})

import { defineCommand, usageError } from "./_command.ts"

export default defineCommand({
  meta: { name: "review", description: "Decide what agents ask for, one at a time, on the whole screen" },
  args: { id: { type: "positional", description: "Begin with this proposal; default the oldest" } },
  examples: ["bottle review", "bottle review p3k9x0a1b2c"],
  async run({ args, shell }) {
    if (!shell.terminal.interactive) {
      throw usageError("a review needs a terminal", "without one: bottle proposals, then approve, modify or reject")
    }
    const { runReview } = await import("./review/run.ts")
    return runReview(args.id, shell)
  },
})

import { defineCommand, usageError } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "resume", description: "Launch a kept bottle again, with its work" },
  args: {
    slug: { type: "positional", description: "Kept bottle", required: true },
    "dry-run": { type: "boolean", description: "Show the plan and stop" },
    json: { type: "boolean", description: "With --dry-run: the plan as data" },
    headless: { type: "boolean", description: "No terminal: run the prompt, pass on the exit code" },
    prompt: { type: "string", description: "With --headless: what the agent is asked", valueHint: "TEXT" },
  },
  examples: ["bottle resume claude-x7k2p"],
  async run({ args, shell }) {
    const slug = checkSlug(args.slug)
    const dryRun = args["dry-run"] || shell.env.BOT_BOTTLE_DRY_RUN === "1"
    if (args.json && !dryRun) throw usageError("--json goes with --dry-run")
    if (args.prompt !== undefined && !args.headless) throw usageError("--prompt goes with --headless")
    if (!args.headless && !dryRun && !shell.terminal.interactive) {
      throw usageError("resume needs a terminal", "without one: --headless --prompt TEXT")
    }
    const { runResume } = await import("./_start.ts")
    return runResume(slug, { dryRun, json: args.json, headless: args.headless, prompt: args.prompt }, shell)
  },
})

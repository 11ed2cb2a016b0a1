import { backendNames } from "../backends/backend.ts"
import type { StartWish } from "../bottle/plan-types.ts"
import { colors } from "./_colors.ts"
import { defineCommand, usageError } from "./_command.ts"

export default defineCommand({
  meta: { name: "start", description: "Start an agent in a sealed bottle" },
  args: {
    agent: { type: "positional", description: "Agent file's name; without one you are asked", required: false },
    bottle: {
      type: "string",
      multiple: true,
      description: "Bottle file to run under; repeat to merge in order",
      valueHint: "NAME",
    },
    label: { type: "string", description: "Name shown in lists and panes", valueHint: "TEXT" },
    color: { type: "enum", options: [...colors], description: "Colour shown in lists and panes" },
    backend: { type: "enum", options: [...backendNames], description: "Where it runs" },
    cwd: { type: "boolean", description: "Copy the working directory into the workspace" },
    discard: { type: "boolean", description: "Remove the state at the end, whatever is in it" },
    "dry-run": { type: "boolean", description: "Show the plan and stop" },
    json: { type: "boolean", description: "With --dry-run: the plan as data" },
    yes: { type: "boolean", description: "Launch without asking" },
    headless: { type: "boolean", description: "No terminal: run the prompt, pass on the exit code" },
    prompt: { type: "string", description: "With --headless: what the agent is asked", valueHint: "TEXT" },
    first: { type: "string", description: "On a terminal: what the agent is asked first", valueHint: "TEXT" },
  },
  rest: { name: "argv", description: "What a bottle of the `command` provider runs" },
  examples: [
    "bottle start claude",
    "bottle start --headless --bottle dev -- npm test",
    "bottle start claude --dry-run --json",
  ],
  async run({ args, rest, shell }) {
    const dryRun = args["dry-run"] || shell.env.BOT_BOTTLE_DRY_RUN === "1"
    if (args.json && !dryRun) throw usageError("--json goes with --dry-run")
    if (args.prompt !== undefined && !args.headless) throw usageError("--prompt goes with --headless")
    if (args.first !== undefined && args.headless)
      throw usageError("--first goes with a terminal; headless it is --prompt")
    const wish: StartWish = {
      agent: args.agent,
      bottles: args.bottle,
      label: args.label,
      color: args.color,
      backend: args.backend,
      copyCwd: args.cwd,
      cwd: shell.cwd,
      headless: args.headless,
      prompt: args.prompt ?? args.first,
      argv: rest ?? [],
      discard: args.discard,
      keep: false,
    }
    const { runStart } = await import("./_start.ts")
    return runStart(wish, { dryRun, json: args.json, yes: args.yes }, shell)
  },
})

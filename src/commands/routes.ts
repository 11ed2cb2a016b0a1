import { defineCommand } from "./_command.ts"

export default defineCommand({
  meta: { name: "routes", description: "Show or edit the routes in force in a running bottle" },
  args: {
    verb: { type: "positional", required: true, options: ["show", "edit"], description: "What to do" },
    slug: { type: "positional", required: true, description: "Running bottle" },
    file: { type: "string", description: "edit: your text, instead of the editor", valueHint: "PATH" },
    json: { type: "boolean", description: "Print data" },
  },
  examples: ["bottle routes show claude-x7k2p", "bottle routes edit claude-x7k2p"],
  async run({ args, shell }) {
    const { runPolicy } = await import("./_policy.ts")
    return runPolicy("routes", args, shell)
  },
})

import { ExitCode } from "../lib/errors.ts"
import { defineCommand } from "./_command.ts"

export default defineCommand({
  meta: { name: "completions", description: "Print the completion script of a shell, or the man page" },
  args: {
    shell: {
      type: "positional",
      required: true,
      options: ["bash", "zsh", "fish", "man"],
      description: "What to print",
    },
  },
  examples: [
    "source <(bottle completions bash)",
    "bottle completions fish > ~/.config/fish/completions/bottle.fish",
    "bottle completions man | man -l -",
  ],
  async run({ args, shell }) {
    const { renderCompletions } = await import("./completions/render.ts")
    const { commands } = await import("./index.ts")
    const { version } = await import("../lib/version.ts")
    const text = (await renderCompletions(commands, version))[args.shell]
    shell.print(text.trimEnd())
    return ExitCode.ok
  },
})

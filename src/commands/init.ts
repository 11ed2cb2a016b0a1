import { ExitCode } from "../lib/errors.ts"
import { defineCommand, usageError } from "./_command.ts"

export default defineCommand({
  meta: { name: "init", description: "Write your first agent and bottle, and check this machine" },
  args: {
    agent: { type: "string", valueHint: "NAME", description: "Name of the agent file; without a terminal claude" },
    bottle: { type: "string", valueHint: "NAME", description: "Name of the bottle file; without a terminal dev" },
    json: { type: "boolean", description: "Print what was written as data" },
  },
  examples: ["bottle init", "bottle init --agent reviewer --bottle read-only"],
  async run({ args, shell }) {
    const named = args.agent !== undefined || args.bottle !== undefined
    if (shell.terminal.interactive && !named && !args.json) {
      const { runInitWizard } = await import("./init/wizard.ts")
      return runInitWizard(shell)
    }
    const { agent = "claude", bottle = "dev" } = args
    const { isName, nameRule } = await import("../manifest/names.ts")
    for (const name of [agent, bottle]) {
      if (!isName(name)) throw usageError(`${name} cannot name a file here`, nameRule)
    }
    const { writeStarter } = await import("./init/write-starter.ts")
    const written = await writeStarter({ agent, bottle }, shell)
    if (args.json) shell.printJson({ written })
    else {
      for (const path of written) shell.log.info(`wrote ${path}`)
      shell.log.info(`next: bottle edit ${bottle}, then bottle start ${agent}`)
    }
    return ExitCode.ok
  },
})

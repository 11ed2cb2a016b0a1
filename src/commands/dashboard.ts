import { ExitCode } from "../lib/errors.ts"
import { defineCommand, usageError } from "./_command.ts"

export default defineCommand({
  meta: { name: "dashboard", description: "Watch and decide: what agents ask for, and which run" },
  args: { once: { type: "boolean", description: "Print what is asked as plain text, and stop" } },
  examples: ["bottle dashboard", "bottle dashboard --once"],
  async run({ args, shell }) {
    if (args.once) {
      const [{ listProposals }, { onceLines }] = await Promise.all([
        import("../bottle/proposals/list.ts"),
        import("../ui/proposal-lines.ts"),
      ])
      const { listed, warnings } = listProposals(shell.paths, undefined, false)
      for (const warning of warnings) shell.log.warn(warning)
      if (listed.length === 0) shell.log.info("no pending proposals")
      for (const { proposal } of listed) for (const line of onceLines(proposal)) shell.print(line)
      return ExitCode.ok
    }
    if (!shell.terminal.interactive) throw usageError("the dashboard needs a terminal", "without one: --once")
    const [{ runDashboard }, { editText }] = await Promise.all([
      import("../ui/dashboard/run.ts"),
      import("./_editor.ts"),
    ])
    const { paths, env, cwd, log } = shell
    return runDashboard({
      paths,
      env,
      cwd,
      log,
      bin: process.execPath,
      editText: (text, suffix) => editText(text, suffix, env),
    })
  },
})

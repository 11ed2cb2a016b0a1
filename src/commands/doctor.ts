import { ExitCode } from "../lib/errors.ts"
import { safeText } from "../ui/safe-text.ts"
import { defineCommand } from "./_command.ts"

export default defineCommand({
  meta: { name: "doctor", description: "Check what this machine has and lacks" },
  args: { json: { type: "boolean", description: "Print the findings as data" } },
  async run({ args, shell }) {
    const { realMachine } = await import("./doctor/machine.ts")
    const { examine } = await import("./doctor/checks.ts")
    const findings = await examine(await realMachine(shell))
    const failed = findings.some(({ status }) => status === "fail")
    if (args.json) shell.printJson({ ok: !failed, checks: findings })
    else {
      for (const { id, status, detail, fix } of findings) {
        shell.print(`${status.padEnd(5)} ${id.padEnd(18)} ${safeText(detail)}`)
        if (fix !== undefined) shell.print(`${"".padEnd(25)}${safeText(fix)}`)
      }
    }
    return failed ? ExitCode.missingPart : ExitCode.ok
  },
})

import { backendNames } from "../backends/backend.ts"
import { safeText } from "../ui/safe-text.ts"
import { defineCommand } from "./_command.ts"

export default defineCommand({
  meta: { name: "demo", description: "Show a real bottle at work, in ten lines" },
  args: {
    backend: { type: "enum", options: [...backendNames], description: "Where it runs" },
    json: { type: "boolean", description: "Everything that happened, as data" },
  },
  async run({ args, shell }) {
    const { runDemo } = await import("../bottle/demo/demo.ts")
    const report = await runDemo(shell.paths, args.backend, shell.cwd)
    const { judgeDemo, demoLines } = await import("../ui/demo-lines.ts")
    const findings = judgeDemo(report)
    const good = findings.every((finding) => finding.ok)
    if (args.json) shell.printJson({ ok: good, findings, milliseconds: report.ready.milliseconds })
    else for (const line of demoLines(report, findings)) shell.print(safeText(line))
    return good ? 0 : 1
  },
})

import { auditComponents } from "../audit/types.ts"
import { ExitCode } from "../lib/errors.ts"
import { type CommandContext, defineCommand, usageError } from "./_command.ts"
import { checkSlug } from "./_slug.ts"

const formats = ["jsonl", "csv", "cef", "ocsf"] as const

const positionals = {
  verb: { type: "positional", required: true, options: ["show", "verify", "export"], description: "What to do" },
  slug: { type: "positional", required: false, description: "One bottle's, also of one that is gone; all without it" },
} as const
const flags = {
  since: { type: "string", description: "With show, export: from this time on, such as 2h, 7d or 2026-01-31" },
  expect: {
    type: "string",
    description: "With verify: what an earlier verify said to keep; finds a return to before it",
  },
  "public-key": { type: "string", description: "With verify: check with this PEM file instead of this machine's key" },
  json: { type: "boolean", description: "With show, verify: as data" },
} as const
// citty wants lists of options that could be changed.
const choices = {
  component: {
    type: "enum" as const,
    options: [...auditComponents],
    description: "With show, export: of this component only",
  },
  format: {
    type: "enum" as const,
    options: [...formats],
    description: "With export: jsonl (default), csv, cef or ocsf",
  },
}
const args = { ...positionals, ...choices, ...flags }

export default defineCommand({
  meta: { name: "audit", description: "Show, check or export the record of what was decided and done" },
  args,
  examples: [
    "bottle audit show --since 1d",
    "bottle audit verify",
    "bottle audit export claude-x7k2p --format csv > claude.csv",
  ],
  async run(context) {
    const { verb, slug } = context.args
    if (slug !== undefined) checkSlug(slug)
    refuseOthersFlags(context.args)
    if (verb === "verify") return verify(context)
    return verb === "show" ? show(context) : exportEntries(context)
  },
})

type Context = CommandContext<typeof args>

function refuseOthersFlags({ verb, component, since, format, "public-key": key, expect, json }: Context["args"]): void {
  const misplaced = [
    verb === "verify" && component !== undefined && "--component",
    verb === "verify" && since !== undefined && "--since",
    verb !== "export" && format !== undefined && "--format",
    verb !== "verify" && key !== undefined && "--public-key",
    verb !== "verify" && expect !== undefined && "--expect",
    verb === "export" && json && "--json",
  ].find((flag) => flag !== false)
  if (misplaced !== undefined) throw usageError(`audit ${verb} takes no ${misplaced}`, "see bottle audit --help")
}

async function select({ args: { slug, component, since }, shell }: Context) {
  const { selectEntries } = await import("../audit/select.ts")
  const from = since === undefined ? undefined : await parseSince(since)
  const selected = selectEntries(shell.paths.audit, { slug, component, since: from })
  if (selected.slugs.length === 0 && slug !== undefined) {
    const { unknownAudit } = await import("../audit/verify/verify.ts")
    throw unknownAudit(slug)
  }
  return selected
}

async function parseSince(text: string): Promise<Date> {
  const { parseSince: parse } = await import("../audit/since.ts")
  const date = parse(text, new Date())
  if (date === undefined)
    throw usageError(`--since: ${text} is no time`, "such as 90s, 30m, 2h, 7d, 2026-01-31 or 2026-01-31T08:00Z")
  return date
}

async function show(context: Context): Promise<number> {
  const { shell, args: given } = context
  const { entries, unreadable } = await select(context)
  const { byTime } = await import("../audit/select.ts")
  const all = byTime(entries())
  if (given.json) shell.printJson({ entries: all })
  else {
    const { entryLines } = await import("../ui/audit-lines.ts")
    for (const entry of all) for (const line of entryLines(entry)) shell.print(line)
  }
  if (all.length === 0 && !given.json) shell.log.info("nothing is recorded")
  warnUnreadable(unreadable(), context)
  return ExitCode.ok
}

async function exportEntries(context: Context): Promise<number> {
  const { shell, args: given } = context
  const { entries, unreadable } = await select(context)
  const { exporter } = await import("../audit/export/exporter.ts")
  const { header, line } = exporter(given.format ?? "jsonl")
  if (header !== undefined) shell.print(header)
  for (const entry of entries()) shell.print(line(entry))
  warnUnreadable(unreadable(), context)
  return ExitCode.ok
}

function warnUnreadable(count: number, { shell }: Context): void {
  if (count > 0) shell.log.warn(`${count} line${count === 1 ? " is" : "s are"} no entry; next: bottle audit verify`)
}

async function verify({ args: given, shell }: Context): Promise<number> {
  const { verifyAudit } = await import("../audit/verify/verify.ts")
  const { tampered } = await import("../audit/verify/finding.ts")
  const { reportLines, summary } = await import("../ui/audit-lines.ts")
  const { slug, expect, "public-key": publicKey } = given
  if (expect !== undefined && !/^[0-9a-f]{16,64}$/.test(expect)) {
    throw usageError(`--expect: ${expect} is no hash`, "16 to 64 hex digits, as verify said to keep")
  }
  const reports = []
  for await (const report of verifyAudit({ paths: shell.paths, slug, publicKey, expect })) {
    reports.push(report)
    if (!given.json) for (const line of reportLines(report)) shell.print(line)
  }
  const found = reports.some(tampered)
  if (given.json) shell.printJson({ ok: !found, logs: reports.map((report) => ({ ok: !tampered(report), ...report })) })
  else shell.log.info(summary(reports))
  return found ? ExitCode.integrity : ExitCode.ok
}

import type { CleanupPlan } from "../bottle/cleanup/plan.ts"
import { ExitCode } from "../lib/errors.ts"
import { defineCommand, usageError } from "./_command.ts"
import type { Shell } from "./_shell.ts"

const buckets = {
  bottles: "bottles without a live process",
  engine: "stray containers, volumes and images",
  processes: "stray processes and sockets",
  state: "orphan state",
  logs: "old logs",
  images: "images that no bottle is made of",
} as const

export default defineCommand({
  meta: { name: "cleanup", description: "Find and remove what dead bottles left" },
  args: {
    yes: { type: "boolean", description: "Do not ask" },
    "dry-run": { type: "boolean", description: "Show the plan and stop" },
    json: { type: "boolean", description: "Print plan and outcome as data" },
    preserved: { type: "boolean", description: "Remove kept and frozen bottles too, with their work" },
    images: {
      type: "boolean",
      description: "Remove built images that no bottle is made of; the next start builds again",
    },
    "older-than": {
      type: "string",
      description: "Remove logs of ended bottles older than this, and take of the images those that are",
      valueHint: "30d",
    },
  },
  examples: ["bottle cleanup --dry-run", "bottle cleanup --yes --older-than 30d"],
  async run({ args, shell }) {
    const { planCleanup, isEmpty } = await import("../bottle/cleanup/plan.ts")
    const dryRun = args["dry-run"] || shell.env.BOT_BOTTLE_DRY_RUN === "1"
    const olderThan = await retention(args["older-than"], shell)
    // What the settings say of logs is of logs only.
    const images = args.images ? (args["older-than"] === undefined ? 0 : olderThan) : undefined
    const plan = await planCleanup(shell.paths, { preserved: args.preserved, olderThan, images })
    if (!args.json) showPlan(plan, shell)
    if (dryRun || isEmpty(plan)) {
      if (args.json) shell.printJson({ plan, applied: false, failed: [] })
      else if (isEmpty(plan)) shell.log.info("nothing to clean up")
      return ExitCode.ok
    }
    if (!args.yes) {
      const sure = await shell.terminal.confirm("remove all of this?", "pass --yes, or --dry-run to look only")
      if (!sure) throw (await import("../lib/terminal.ts")).cancelled()
    }
    const { applyCleanup } = await import("../bottle/cleanup/apply.ts")
    const failed = await applyCleanup(shell.paths, plan)
    if (args.json) shell.printJson({ plan, applied: true, failed })
    else for (const { slug, what, why } of failed) shell.log.error(`${slug}: ${what} stays: ${why}`)
    if (!args.json && failed.length === 0) shell.log.info("all of it is removed")
    return failed.length === 0 ? ExitCode.ok : ExitCode.failed
  },
})

/** In seconds; the settings' own where none is given. */
async function retention(given: string | undefined, shell: Shell): Promise<number | undefined> {
  if (given === undefined) {
    const { loadSettings } = await import("../manifest/settings.ts")
    return (await loadSettings(shell.paths.settings)).retention?.logs
  }
  const { parseDuration } = await import("../manifest/values/sizes.ts")
  const parsed = parseDuration(given)
  if (parsed.kind === "bad") throw usageError(`--older-than: ${parsed.why}`)
  return parsed.value
}

function showPlan(plan: CleanupPlan, shell: Shell): void {
  for (const [bucket, title] of Object.entries(buckets)) {
    const items = plan[bucket as keyof typeof buckets]
    if (items.length === 0) continue
    shell.log.info(`${title}:`)
    for (const { slug, what } of items) shell.log.info(`  ${slug.padEnd(24)} ${what}`)
  }
  if (plan.kept.length > 0) {
    shell.log.info("not touched, kept for you (bottle resume, bottle destroy, or --preserved for all):")
    for (const { slug, what } of plan.kept) shell.log.info(`  ${slug.padEnd(24)} ${what}`)
  }
  for (const line of plan.unseen) shell.log.warn(`not looked at: ${line}`)
}

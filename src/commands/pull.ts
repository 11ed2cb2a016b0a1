import { resolve } from "node:path"
import type { PullResult } from "../bottle/work/pull/types.ts"
import { parseSize } from "../manifest/values/sizes.ts"
import { defineCommand, usageError } from "./_command.ts"
import type { Shell } from "./_shell.ts"
import { checkSlug } from "./_slug.ts"

export default defineCommand({
  meta: { name: "pull", description: "Bring the agent's commits into your repository" },
  args: {
    slug: { type: "positional", description: "Bottle, running or kept", required: true },
    into: {
      type: "string",
      description: "Repository to pull into; default: the one it was started in with --cwd, else this one",
      valueHint: "DIR",
    },
    branch: { type: "string", multiple: true, description: "Only this branch; repeat for more", valueHint: "NAME" },
    wip: { type: "boolean", description: "Make a commit, named WIP, of what is not committed" },
    "allow-leaks": { type: "boolean", description: "Pull what gitleaks takes for secrets, too" },
    "max-size": { type: "string", default: "2g", description: "Most new content, uncompressed", valueHint: "SIZE" },
    json: { type: "boolean", description: "Print what was pulled as data" },
  },
  examples: ["bottle pull claude-x7k2p", "bottle pull claude-x7k2p --wip --into ~/src/project"],
  async run({ args, shell }) {
    const slug = checkSlug(args.slug)
    const size = parseSize(args["max-size"])
    if (size.kind === "bad") throw usageError(`--max-size: ${size.why}`)
    const { pullBottle } = await import("../bottle/work/pull/pull.ts")
    const wish = {
      into: args.into === undefined ? undefined : resolve(shell.cwd, args.into),
      cwd: shell.cwd,
      branches: args.branch,
      wip: args.wip,
      allowLeaks: args["allow-leaks"],
      maxSize: size.value,
    }
    const result = await pullBottle(shell.paths, slug, wish, shell.env)
    if (args.json) shell.printJson({ slug, ...result })
    else printPulled(slug, result, shell)
    return 0
  },
})

function printPulled(slug: string, result: PullResult, { log }: Shell): void {
  const { refs, skipped, uncommitted, nested, into } = result
  if (refs.length === 0) log.info(`${slug}: no new commits`)
  else log.info(`${slug}: pulled into ${into}`)
  for (const { ref, oid, commits, was } of refs.slice(0, 20)) {
    const before = was === undefined || was === oid ? "" : `, was ${was.slice(0, 10)}`
    const count = was === oid ? "unchanged" : `${commits} new commit${commits === 1 ? "" : "s"}`
    log.info(`  ${ref.replace(/^refs\//, "")}  ${oid.slice(0, 10)}  ${count}${before}`)
  }
  if (refs.length > 20) log.info(`  and ${refs.length - 20} more: git for-each-ref refs/bottle/${slug}`)
  for (const { name, reason } of skipped.slice(0, 10)) log.warn(`not pulled: ${name}: ${reason}`)
  if (skipped.length > 10) log.warn(`not pulled: ${skipped.length - 10} more refs`)
  if (uncommitted > 0) {
    log.warn(
      `${uncommitted} file${uncommitted === 1 ? " is" : "s are"} not committed; as a commit: bottle pull ${slug} --wip`,
    )
  }
  if (nested > 0) log.warn(`commits of ${nested} nested ${nested === 1 ? "repository" : "repositories"} are not pulled`)
  if (result.leaks === "not scanned" && refs.length > 0) log.info("  not scanned for secrets: gitleaks is not on PATH")
  if (result.leaks === "allowed") log.warn("pulled with what gitleaks takes for secrets")
  const [first] = refs
  if (first !== undefined) {
    const short = first.ref.replace(/^refs\//, "")
    log.info(`  look:   git log -p HEAD..${short}`)
    log.info(`  take:   git merge ${short}`)
  }
  if (result.complete) log.info(`  all work is pulled; drop the rest: bottle destroy ${slug}`)
}

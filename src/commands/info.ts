import { BottleError, ExitCode } from "../lib/errors.ts"
import { isSlug } from "../lib/slug.ts"
import { safeText } from "../ui/safe-text.ts"
import { defineCommand } from "./_command.ts"
import { openManifests } from "./_manifests.ts"
import type { Shell } from "./_shell.ts"
import { printFields } from "./_table.ts"

export default defineCommand({
  meta: { name: "info", description: "Show an agent, a bottle file or a running bottle" },
  args: {
    name: { type: "positional", required: true, description: "Agent, bottle file, or running or kept bottle" },
    json: { type: "boolean", description: "Print it as data" },
  },
  examples: ["bottle info claude", "bottle info claude-x7k2p --json"],
  async run({ args, shell }) {
    const found = await lookUp(args.name, shell)
    if (args.json) shell.printJson(found.data)
    else printFields(found.fields, shell)
    return ExitCode.ok
  },
})

/** What `info` found: the same facts as data and as lines. Never an environment value. */
export interface Info {
  data: object
  fields: readonly (readonly [name: string, text: string | readonly string[]])[]
}

/** A running or kept bottle of this slug, else an agent, else a bottle file. Throws `BottleError` (exit 5). */
async function lookUp(name: string, shell: Shell): Promise<Info> {
  if (isSlug(name)) {
    const { slugs } = await import("../bottle/registry.ts")
    if (slugs(shell.paths).includes(name)) return (await import("./info/running.ts")).describeRunning(name, shell)
  }
  const manifests = await openManifests(shell)
  const [agents, bottles] = await Promise.all([manifests.listAgents(), manifests.listBottles()])
  const { describeAgent, describeBottle } = await import("./info/manifest.ts")
  if (agents.some((entry) => entry.name === name)) return describeAgent(await manifests.loadAgent(name), manifests)
  if (bottles.some((entry) => entry.name === name)) return describeBottle(await manifests.loadBottles([name]))
  const { nearest } = await import("../lib/nearest.ts")
  const near = nearest(
    name,
    [...agents, ...bottles].map((entry) => entry.name),
  )
  throw new BottleError(`nothing is called ${safeText(name, 100)}`, {
    code: "unknown-name",
    exit: "notFound",
    hint: near === undefined ? "bottle list, bottle list agents, bottle list bottles" : `did you mean ${near}?`,
  })
}

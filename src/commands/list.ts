import { ExitCode } from "../lib/errors.ts"
import type { AgentEntry, BottleEntry } from "../manifest/load.ts"
import { formatDiagnostic } from "../manifest/source/diagnose.ts"
import { defineCommand } from "./_command.ts"
import { openManifests } from "./_manifests.ts"
import type { Shell } from "./_shell.ts"
import { printTable } from "./_table.ts"

export default defineCommand({
  meta: { name: "list", description: "List running bottles, agents and bottle files" },
  args: {
    what: {
      type: "positional",
      default: "active",
      options: ["active", "agents", "bottles"],
      description: "What to list",
    },
    json: { type: "boolean", description: "Print them as data" },
  },
  examples: ["bottle list", "bottle list agents --json"],
  async run({ args, shell }) {
    if (args.what === "agents") await listAgents(args.json, shell)
    else if (args.what === "bottles") await listBottles(args.json, shell)
    else await listRunning(args.json, shell)
    return ExitCode.ok
  },
})

async function listRunning(json: boolean, shell: Shell): Promise<void> {
  const { listActive } = await import("../bottle/registry.ts")
  const rows = await listActive(shell.paths)
  if (json) return shell.printJson({ active: rows })
  if (rows.length === 0) return shell.log.info("no bottles; next: bottle start, or bottle demo")
  printTable(
    ["BOTTLE", "STATE", "AGENT", "UNDER", "BACKEND", "LABEL", "REFUSED", "STARTED"],
    rows.map((row) => [
      row.slug,
      row.degraded ? `${row.state}, degraded` : row.state,
      row.agent,
      row.bottles.join(",") || "?",
      row.backend,
      row.color === null ? row.label : `${row.label} (${row.color})`,
      String(row.refused),
      row.startedAt,
    ]),
    shell,
  )
}

async function listAgents(json: boolean, shell: Shell): Promise<void> {
  const entries = await (await openManifests(shell)).listAgents()
  if (json) {
    const agents = entries.map((entry) => {
      if (entry.kind === "broken") return broken(entry)
      const { name, origin, bottles, skills, description } = entry.agent
      return { name, state: "ok", origin, bottles, skills, description }
    })
    return shell.printJson({ agents })
  }
  if (entries.length === 0) return shell.log.info("no agents; next: bottle init")
  printTable(
    ["AGENT", "BOTTLE", "FILE", "DESCRIPTION"],
    entries.map((entry) =>
      entry.kind === "broken"
        ? [entry.name, "broken", entry.display, firstProblem(entry)]
        : [entry.name, entry.agent.bottles.join(",") || "-", entry.agent.origin.display, entry.agent.description ?? ""],
    ),
    shell,
  )
}

async function listBottles(json: boolean, shell: Shell): Promise<void> {
  const entries = await (await openManifests(shell)).listBottles()
  if (json) {
    const bottles = entries.map((entry) => {
      if (entry.kind === "broken") return broken(entry)
      const { origins, provider, egress, slots } = entry.bottle
      const hosts = egress.routes.map(({ host }) => host)
      return { name: entry.name, state: "ok", origins, provider: provider.template, hosts, slots }
    })
    return shell.printJson({ bottles })
  }
  if (entries.length === 0) return shell.log.info("no bottle files; next: bottle init")
  printTable(
    ["BOTTLE", "PROVIDER", "ROUTES"],
    entries.map((entry) =>
      entry.kind === "broken"
        ? [entry.name, "broken", firstProblem(entry)]
        : [entry.name, entry.bottle.provider.template, entry.bottle.egress.routes.map(({ host }) => host).join(", ")],
    ),
    shell,
  )
}

type Broken = Extract<AgentEntry | BottleEntry, { kind: "broken" }>

function broken({ name, display, diagnostics }: Broken): object {
  return { name, state: "broken", file: display, problems: diagnostics }
}

function firstProblem({ diagnostics }: Broken): string {
  return diagnostics[0] === undefined ? "" : formatDiagnostic(diagnostics[0])
}

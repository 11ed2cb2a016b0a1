import { BottleError } from "../../lib/errors.ts"
import type { Manifests } from "../../manifest/load.ts"
import type { AgentManifest, ResolvedBottle } from "../../manifest/types.ts"
import { explainRoute } from "../../policy/explain.ts"
import type { Info } from "../info.ts"

/** An agent with the policy that its own bottles give it; a bottle that is broken or missing is said, not fatal. */
export async function describeAgent(agent: AgentManifest, manifests: Manifests): Promise<Info> {
  const { bottle, problem } = await ownBottle(agent, manifests)
  const under = bottle === undefined ? undefined : describeBottle(bottle)
  const { name, origin, bottles, skills, description, prompt } = agent
  return {
    data: {
      kind: "agent",
      ...{ name, origin, description, bottles, skills, prompt },
      gitUser: provenance(agent, bottle),
      bottle: under?.data,
      problem,
      unbuilt: agent.unbuilt,
    },
    fields: [
      ["agent", name],
      [
        "file",
        `${origin.display}  sha256 ${origin.sha256.slice(0, 12)}${origin.scope === "repository" ? "  FROM THIS REPOSITORY" : ""}`,
      ],
      ["description", description ?? []],
      ["bottles", bottles.join(", then ") || "none suggested"],
      ["skills", skills],
      ["git user", gitUserLine(agent, bottle)],
      ["prompt", prompt.trim().split("\n")],
      ["problem", problem ?? []],
      ["not built", agent.unbuilt.map(({ key, position }) => `${key} (${position})`)],
      ...(under?.fields.filter(([field]) => !["bottle", "git user"].includes(field)) ?? []),
    ],
  }
}

/** A bottle file with its parents folded in: names of variables and slots, never a value. */
export function describeBottle(bottle: ResolvedBottle): Info {
  const env = Object.entries(bottle.env).map(([name, { kind }]) => ({ name, from: kind }))
  const limits = Object.entries(bottle.limits).map(([name, value]) => `${name} ${value}`)
  const { routes, log, upstream_proxy } = bottle.egress
  const repos = Object.entries(bottle.gitGate.repos).map(([name, { url }]) => ({ name, url }))
  return {
    data: {
      kind: "bottle",
      names: bottle.names,
      origins: bottle.origins,
      provider: bottle.provider.template,
      env,
      slots: bottle.slots,
      egress: { routes, log, upstream_proxy },
      allowlist: bottle.pipelock.allowlist,
      gitGate: { user: bottle.gitGate.user, repos },
      supervise: bottle.supervise,
      binds: bottle.namespace.binds,
      limits: bottle.limits,
      unbuilt: bottle.unbuilt,
      warnings: bottle.warnings,
    },
    fields: [
      ["bottle", bottle.names.join(", then ")],
      ["from", bottle.origins.map(({ display, sha256 }) => `${display}  sha256 ${sha256.slice(0, 12)}`)],
      ["provider", bottle.provider.template],
      ["env", env.map(({ name, from }) => `${name} (${from}; visible to the agent)`)],
      ["secrets", bottle.slots.map((slot) => `${slot} (sidecars only)`)],
      ["routes", routes.length === 0 ? "none: every request is refused" : routes.map(explainRoute)],
      ["hosts", bottle.pipelock.allowlist],
      ["proxy", upstream_proxy ?? []],
      ["git user", Object.values(bottle.gitGate.user)],
      ["remotes", repos.map(({ name, url }) => `${name}  ${url}`)],
      ["mounts", bottle.namespace.binds.map((bind) => `${bind.source}${bind.readonly ? "" : " (writable)"}`)],
      ["limits", limits.join(", ") || "none"],
      ["not built", bottle.unbuilt.map(({ key, position }) => `${key} (${position})`)],
      ["warning", bottle.warnings],
    ],
  }
}

async function ownBottle(
  agent: AgentManifest,
  manifests: Manifests,
): Promise<{ bottle?: ResolvedBottle; problem?: string }> {
  if (agent.bottles.length === 0) return {}
  try {
    return { bottle: await manifests.loadBottles(agent.bottles) }
  } catch (error) {
    if (error instanceof BottleError) return { problem: error.message }
    throw error
  }
}

/** Each field of the identity with where it comes from: the agent's own wins (DESIGN §7). */
function provenance(
  agent: AgentManifest,
  bottle: ResolvedBottle | undefined,
): Record<string, { value: string; from: string }> {
  const from = (user: object | undefined, file: string) =>
    Object.entries(user ?? {}).map(([key, value]) => [key, { value: String(value), from: file }] as const)
  const below = `bottle ${bottle?.names.join(", ") ?? ""}`
  return Object.fromEntries([...from(bottle?.gitGate.user, below), ...from(agent.gitUser, agent.origin.display)])
}

function gitUserLine(agent: AgentManifest, bottle: ResolvedBottle | undefined): string[] {
  return Object.values(provenance(agent, bottle)).map(({ value, from }) => `${value}  (${from})`)
}

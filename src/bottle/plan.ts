import { inside, ports } from "../../sidecars/guest/protocol.ts"
import type { BackendName, DockerChoice, ImageOrder } from "../backends/backend.ts"
import { BottleError } from "../lib/errors.ts"
import type { UnbuiltKey } from "../manifest/types.ts"
import type { EgressPolicy, Route } from "../policy/types.ts"
import { uniteRoutes } from "../policy/unite.ts"
import type { Login } from "../providers/host-login.ts"
import type { Provider, ProviderSession, Skill } from "../providers/provider.ts"
import { superviseUrl } from "../providers/supervise.ts"
import { insideEnvironment } from "./environment.ts"
import type { BottleSpec, LaunchMemory, Plan } from "./plan-types.ts"
import type { EnvValues } from "./secrets.ts"

/** As Docker's own documentation has the runtime called. */
const gvisor = "runsc"

export interface PlanInput {
  spec: BottleSpec
  slug: string
  session: ProviderSession
  backend: {
    name: BackendName
    detail: string
    unenforced: readonly string[]
    runtimes?: readonly string[] | undefined
  }
  /** Inside home (`BOT_BOTTLE_CONTAINER_HOME`). */
  home: string
  /** Keys of `settings.yml` whose feature is not in this build. */
  settingsUnbuilt: readonly UnbuiltKey[]
  /** Reads an extra CA file of a route; throws `BottleError` when it is not there. */
  readCa(path: string): string
  /** The host's login that it uses (`planLogin`). */
  login?: Plan["login"]
  /** What the agent's image is built from; undefined: it is named, or there are no images. */
  build?: ImageOrder | undefined
}

/** Inside places that do not vary. */
export const insidePlaces = { workspace: "/workspace", user: "node", defaultHome: "/home/node" } as const

/** Decide everything about a bottle that can be decided without making anything. Throws `BottleError` (exit 3). */
export function planBottle(input: PlanInput): Plan {
  const { spec, session, slug } = input
  const { bottle, wish } = spec
  if (input.backend.name === "docker") refuseMounts(input)
  refuseUnbuilt([...(spec.agent?.unbuilt ?? []), ...bottle.unbuilt, ...input.settingsUnbuilt])
  const env = new Map<string, Plan["env"][number]["mode"]>()
  for (const name of Object.keys(session.env)) env.set(name, "provider")
  for (const [name, mode] of Object.entries(bottle.env)) env.set(name, mode.kind)
  const sidecars = bottle.supervise ? (["egress", "supervise"] as const) : (["egress"] as const)
  return {
    schemaVersion: 1,
    slug,
    label: labelOf(spec),
    ...(wish.color === undefined ? {} : { color: wish.color }),
    agent: agentOf(spec),
    skills: spec.agent?.skills ?? [],
    bottles: bottle.names,
    backend: { name: input.backend.name, detail: input.backend.detail },
    provider: { template: bottle.provider.template, summary: session.summary },
    headless: wish.headless,
    argv: wish.argv,
    cwd: wish.cwd,
    copyCwd: wish.copyCwd,
    home: input.home,
    workspace: insidePlaces.workspace,
    user: insidePlaces.user,
    env: [...env].map(([name, mode]) => ({ name, mode })),
    policy: policyOf(spec, session, input.readCa),
    ...(input.login === undefined ? {} : { login: input.login }),
    slots: [...bottle.slots, ...(input.login === undefined ? [] : [input.login.slot])],
    git: { ...bottle.gitGate.user, ...spec.agent?.gitUser },
    mounts: [
      ...session.mounts,
      ...bottle.namespace.binds.map(({ source, target, readonly }) => ({ source, target, readonly })),
    ],
    ...(input.backend.name === "docker" ? { docker: dockerChoice(input) } : {}),
    ports: Object.fromEntries(sidecars.map((name) => [ports[name], name])),
    sidecars,
    limits: bottle.limits,
    unenforced: input.backend.unenforced,
    ...(bottle.expire === undefined ? {} : { expire: bottle.expire }),
    supervise: bottle.supervise ? "on: the agent may ask, you decide with bottle proposals" : "off",
    discard: wish.discard,
    keep: wish.keep,
    transcripts: session.transcripts,
    warnings: [...bottle.warnings, ...registrationWarning(slug, session)],
  }
}

/** The bottle starts all the same: the agent can only not ask. */
function registrationWarning(slug: string, { unregistered }: ProviderSession): string[] {
  if (unregistered === undefined) return []
  const what = "the agent's CLI does not know the tools by which it asks you"
  if (typeof unregistered === "string") return [`${what}: ${unregistered}; the MCP server is at ${superviseUrl}`]
  return [`${what}; add them with: bottle exec ${slug} -- ${unregistered.map(quoted).join(" ")}`]
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

export function labelOf(spec: BottleSpec): string {
  return spec.wish.label ?? spec.agent?.name ?? spec.bottle.names[0] ?? "bottle"
}

/** The policy that the sidecars enforce: the operator's routes and the provider's own, extra CAs read in. */
function policyOf(spec: BottleSpec, session: ProviderSession, readCa: (path: string) => string): EgressPolicy {
  const { egress, pipelock } = spec.bottle
  const own = egress.routes.map((route): Route => (route.ca === undefined ? route : { ...route, ca: readCa(route.ca) }))
  const united = uniteRoutes(own, session.routes)
  if (united.kind === "conflict") {
    throw new BottleError(`route ${united.host}: its ${united.field} conflicts with what the provider needs`, {
      code: "route-conflict",
      exit: "badManifest",
      hint: `leave ${united.field} of this route out, or use another agent_provider.template`,
    })
  }
  return {
    routes: united.routes,
    allowlist: pipelock.allowlist,
    log: egress.log,
    ...(egress.upstream_proxy === undefined ? {} : { upstream_proxy: egress.upstream_proxy }),
    supervise: spec.bottle.supervise,
  }
}

/** A key that was written and would silently do nothing is an error (BEHAVIOUR 2). */
function refuseUnbuilt(unbuilt: readonly UnbuiltKey[]): void {
  if (unbuilt.length === 0) return
  const lines = unbuilt.map(({ position, key }) => `${position} ${key}: not in this build`)
  throw new BottleError(lines.join("\n"), {
    code: "unbuilt",
    exit: "badManifest",
    hint: "remove the key: it would have no effect here",
  })
}

/** gVisor's kernel stands between the agent and this one's, where the engine has it and the bottle does not refuse. */
function dockerChoice({ spec, build, backend }: PlanInput): DockerChoice {
  const { docker } = spec.bottle
  const runtime = docker.runtime ?? (backend.runtimes?.includes(gvisor) ? gvisor : undefined)
  return { ...docker, ...(runtime === undefined ? {} : { runtime }), ...(build === undefined ? {} : { build }) }
}

/** The docker backend mounts nothing of this machine: its engine may be on another one. */
function refuseMounts({ spec }: PlanInput): void {
  const [bind] = spec.bottle.namespace.binds
  if (bind === undefined) return
  throw new BottleError(`${bind.source} cannot be mounted: the docker backend shows a bottle nothing of this machine`, {
    code: "docker-mount",
    exit: "badManifest",
    hint: `remove it from namespace.binds (${bind.origin}), or use --backend namespace`,
  })
}

function agentOf({ agent, wish }: BottleSpec): Plan["agent"] {
  if (agent === undefined) return { name: wish.argv[0] ?? "command" }
  const { display, sha256, scope } = agent.origin
  return { name: agent.name, origin: { display, sha256, scope } }
}

/** What travels beside the plan because it may not be in it. */
export function launchMemory(plan: Plan, session: ProviderSession, env: EnvValues): LaunchMemory {
  return {
    argv: session.argv,
    resumeArgv: session.resumeArgv,
    env: insideEnvironment({
      home: plan.home,
      user: plan.user,
      path: session.path,
      git: plan.git,
      provider: session.env,
      bottle: env,
    }),
    files: session.files,
  }
}

/** Ask the provider for its session. */
export function prepareSession(
  provider: Provider,
  spec: BottleSpec,
  home: string,
  host: Parameters<Provider["prepare"]>[1],
  skills: readonly Skill[] = [],
  cli: "host" | "image" = "host",
  forwarded?: { planned: NonNullable<Plan["login"]>; login: Login },
) {
  const { wish, bottle, agent } = spec
  return provider.prepare(
    {
      cli,
      home,
      workspace: insidePlaces.workspace,
      label: labelOf(spec),
      color: wish.color,
      systemPrompt: agent?.prompt ?? "",
      settings: bottle.provider.settings,
      authSlot: forwarded?.planned.slot ?? bottle.provider.auth_token,
      ...(forwarded === undefined ? {} : { login: { way: forwarded.login.way, account: forwarded.login.account } }),
      prompt: wish.prompt,
      headless: wish.headless,
      argv: wish.argv,
      supervise: bottle.supervise,
      skills,
      ca: inside.ca,
    },
    host,
  )
}

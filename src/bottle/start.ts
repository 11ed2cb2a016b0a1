import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { type BackendName, backendNames, type ImageOrder } from "../backends/backend.ts"
import { BottleError } from "../lib/errors.ts"
import type { Paths } from "../lib/paths.ts"
import { makeSlug } from "../lib/slug.ts"
import type { Manifests } from "../manifest/load.ts"
import type { Settings } from "../manifest/settings.ts"
import { hostLook } from "../providers/host-look.ts"
import { providerFor } from "../providers/index.ts"
import type { Provider, ProviderSession, Skill } from "../providers/provider.ts"
import { chooseBackend } from "./choose-backend.ts"
import { imageOrderFor } from "./image-order.ts"
import { freeLabel, labelsInUse } from "./labels.ts"
import { launchToken, planLogin } from "./login/host-login.ts"
import { insidePlaces, labelOf, launchMemory, planBottle, prepareSession } from "./plan.ts"
import type { BottleSpec, Plan, StartWish } from "./plan-types.ts"
import { resolveSecrets, type SecretDeps } from "./secrets.ts"
import type { Ready, WaitingKeeper } from "./start-keeper.ts"
import { StateDir } from "./state.ts"

type Environment = Readonly<Record<string, string | undefined>>

export interface StartDeps {
  env: Environment
  paths: Paths
  manifests: Manifests
  settings: Settings
  secrets: SecretDeps
}

/** A start that is decided and may be shown; nothing has been made and no secret looked up. */
export interface PreparedStart {
  spec: BottleSpec
  session: ProviderSession
  plan: Plan
  /** Why the label differs from the one asked for, or undefined. */
  renamed: string | undefined
}

/** The slug of a bottle to be, known before its manifests are read. */
export function slugFor(wish: StartWish): string {
  return makeSlug(wish.label ?? wish.agent ?? wish.bottles[0] ?? wish.argv[0] ?? "", randomBytes)
}

/**
 * DESIGN §6, steps 1 and 2: from a wish to a printable plan. Throws `BottleError`; creates nothing. With `resume` the
 * bottle has its label already.
 */
export async function prepareStart(
  wish: StartWish,
  deps: StartDeps,
  slug: string,
  resume = false,
): Promise<PreparedStart> {
  // Looking at the backend starts a process: it runs while the manifests are read.
  const earlier = resume ? new StateDir(deps.paths.state(slug)).record() : undefined
  const reading = readSpec(wish, deps).then(async (given) => {
    const { spec, renamed } = resume ? { spec: given, renamed: undefined } : withFreeLabel(given, deps)
    const provider = await providerFor(spec.bottle.provider.template, deps.paths.contrib)
    return { spec, renamed, provider, skills: await skillsFor(provider, spec.agent, deps) }
  })
  // Both, whatever the other came to: a command that ends meanwhile leaves a sandbox half made, which waits for ever.
  const [read, chosen] = await Promise.allSettled([reading, chooseBackend(wish.backend ?? namedBackend(deps), earlier)])
  if (read.status === "rejected") throw read.reason
  if (chosen.status === "rejected") throw chosen.reason
  const { spec, renamed, provider, skills } = read.value
  const backend = chosen.value
  const home = insideHome(deps.env)
  const hasImages = backend.name === "docker"
  const build = hasImages ? await imageFor(spec, provider, deps, resume ? slug : undefined) : undefined
  const look = hostLook(deps.env.PATH ?? "")
  const forwarded = planLogin(provider, spec.bottle.provider, deps.env, deps.env.HOME || homedir())
  const sessionFor = (prompt: string | undefined) => {
    const asked = { ...spec, wish: { ...spec.wish, prompt } }
    return prepareSession(provider, asked, home, look, skills, hasImages ? "image" : "host", forwarded)
  }
  const session = await sessionFor(spec.wish.prompt)
  // On a terminal a first prompt is asked once: whoever attaches later goes on without it.
  if (!wish.headless && wish.prompt !== undefined) session.resumeArgv = (await sessionFor(undefined)).resumeArgv
  const { settings } = deps
  const plan = planBottle({
    spec,
    slug,
    session,
    backend,
    home,
    settingsUnbuilt: settings.unbuilt,
    readCa,
    build,
    ...(forwarded === undefined ? {} : { login: forwarded.planned }),
  })
  return { spec, session, plan, renamed }
}

/** DESIGN §6, steps 3 and 4: look up the secrets, give the keeper its order, wait until the fence is proved. */
export async function launch(
  prepared: PreparedStart,
  deps: StartDeps,
  keeper: WaitingKeeper,
  onStep: (text: string) => void,
  resume: boolean,
): Promise<Ready> {
  const { plan, spec, session } = prepared
  const slots = plan.slots.filter((slot) => slot !== plan.login?.slot)
  const values = await resolveSecrets(slots, spec.bottle.env, deps.secrets)
  if (plan.login !== undefined) {
    values.slots[plan.login.slot] = await launchToken(plan.login, deps.paths, plan.policy.upstream_proxy)
  }
  const memory = launchMemory(plan, session, values.env)
  return keeper.order({ plan, memory, secrets: { slots: values.slots }, resume }, onStep)
}

/** The wish of a kept bottle, from what it was started with. Throws `BottleError` (exit 5) for an unknown slug. */
export function wishOfKept(
  paths: Paths,
  slug: string,
  change: Pick<StartWish, "headless" | "prompt"> & { keep?: boolean },
): StartWish {
  const state = new StateDir(paths.state(slug))
  const plan = state.plan()
  if (plan === undefined) {
    throw new BottleError(`no bottle ${JSON.stringify(slug)}`, {
      code: "unknown-bottle",
      exit: "notFound",
      hint: "kept bottles: bottle list",
    })
  }
  return {
    agent: plan.agent.origin === undefined ? undefined : plan.agent.name,
    bottles: plan.bottles,
    label: plan.label,
    color: plan.color,
    backend: plan.backend.name,
    copyCwd: plan.copyCwd,
    cwd: plan.cwd,
    argv: plan.argv,
    discard: false,
    // A plan of an earlier version does not say.
    keep: plan.keep ?? false,
    ...change,
  }
}

async function readSpec(wish: StartWish, deps: StartDeps): Promise<BottleSpec> {
  const agent = wish.agent === undefined ? undefined : await deps.manifests.loadAgent(wish.agent)
  const names = wish.bottles.length > 0 ? wish.bottles : (agent?.bottles ?? [])
  if (names.length === 0) {
    throw new BottleError(agent === undefined ? "which bottle?" : `agent ${agent.name} names no bottle`, {
      code: "no-bottle",
      exit: "usage",
      hint: "give one with --bottle NAME; those there are: bottle list bottles",
    })
  }
  if (wish.headless && wish.bottles.length === 0 && agent?.origin.scope === "repository") {
    throw new BottleError(
      `agent ${agent.name} comes from this repository, which may suggest a bottle but not choose it`,
      {
        code: "repository-agent",
        exit: "usage",
        hint: `say it yourself: --bottle ${names[0]}`,
      },
    )
  }
  return { wish, agent, bottle: await deps.manifests.loadBottles([...names]) }
}

/** What the agent's image is built from, or undefined where one is named: bottle's own holds nothing to run. */
async function imageFor(
  { bottle }: BottleSpec,
  provider: Provider,
  { paths }: StartDeps,
  resumed: string | undefined,
): Promise<ImageOrder | undefined> {
  const wish = { template: bottle.provider.template, own: provider.dockerfile, bottle }
  const order = await imageOrderFor(wish, paths, resumed)
  if (order !== undefined || bottle.docker.image !== undefined) return order
  throw new BottleError(`bottle ${bottle.names.join(", ")} names no image, which the docker backend needs`, {
    code: "docker-no-image",
    exit: "badManifest",
    hint: `docker: {image: NAME} for one that the engine has, or write contrib/${wish.template}/Dockerfile`,
  })
}

function withFreeLabel(spec: BottleSpec, deps: StartDeps): { spec: BottleSpec; renamed: string | undefined } {
  const wanted = labelOf(spec)
  if (Buffer.byteLength(wanted) > 64) {
    throw new BottleError("a label is at most 64 bytes", { code: "label", exit: "usage" })
  }
  const label = freeLabel(wanted, labelsInUse(deps.paths))
  return { spec: { ...spec, wish: { ...spec.wish, label } }, renamed: label === wanted ? undefined : label }
}

/** The agent's skills from the operator's own folder, else from the one the CLI uses on the host. */
async function skillsFor(provider: Provider, agent: BottleSpec["agent"], deps: StartDeps): Promise<Skill[]> {
  if (agent === undefined || agent.skills.length === 0) return []
  if (provider.skills === undefined) {
    throw new BottleError(`agent ${agent.name} names skills, and the ${provider.template} provider knows none`, {
      code: "no-skills",
      exit: "badManifest",
      hint: "remove skills from the agent, or choose a bottle whose provider reads them",
    })
  }
  const { readSkills } = await import("../providers/read-skills.ts")
  const home = deps.env.HOME || homedir()
  return readSkills(agent.skills, [join(deps.paths.home, "skills"), join(home, provider.skills)])
}

/** The backend that the environment or `settings.yml` names. Throws `BottleError` (exit 2) for an unknown one. */
export function namedBackend({ env, settings }: Pick<StartDeps, "env" | "settings">): BackendName | undefined {
  const name = env.BOT_BOTTLE_BACKEND || settings.backend
  if (name === undefined) return undefined
  const known = backendNames.find((each) => each === name)
  if (known !== undefined) return known
  throw new BottleError(`unknown backend ${JSON.stringify(name)}`, {
    code: "backend",
    exit: "usage",
    hint: `one of ${backendNames.join(", ")}`,
  })
}

function insideHome(env: Environment): string {
  const home = env.BOT_BOTTLE_CONTAINER_HOME || insidePlaces.defaultHome
  if (/^\/(?!run\/|proc|dev|usr|etc|workspace)[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(home) && !home.includes(".."))
    return home
  throw new BottleError(`BOT_BOTTLE_CONTAINER_HOME: ${JSON.stringify(home)} is not a usable home inside`, {
    code: "container-home",
    exit: "usage",
    hint: "an absolute path such as /home/node",
  })
}

function readCa(path: string): string {
  try {
    const text = readFileSync(path, "utf8")
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text
  } catch (error) {
    throw new BottleError(`route ca: ${path} cannot be read`, { code: "ca", exit: "badManifest", cause: error })
  }
  throw new BottleError(`route ca: ${path} holds no PEM certificate`, { code: "ca", exit: "badManifest" })
}

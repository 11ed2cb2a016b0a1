import { autocomplete, confirm, isCancel, select, text } from "@clack/prompts"
import type { BackendName } from "../backends/backend.ts"
import { freeLabel } from "../bottle/labels.ts"
import type { StartWish } from "../bottle/plan-types.ts"
import { BottleError } from "../lib/errors.ts"
import { cancelled } from "../lib/terminal.ts"
import type { AgentEntry, BottleEntry, Manifests } from "../manifest/load.ts"
import { providerNames } from "../providers/index.ts"
import { safeText } from "./safe-text.ts"

export interface WizardDeps {
  manifests: Manifests
  /** Running and kept bottles: for the counts, and for labels in use. */
  active(): Promise<readonly { agent: string; state: string; label: string }[]>
  colors: readonly string[]
  /** Backends that can run here, best first; asked for only where there is a choice. */
  backends(): Promise<readonly BackendName[]>
}

const finished = "\0done"
const startOver = "\0again"

/**
 * Ask for whatever a start needs and the wish does not say: agent, bottles in merge order, label, colour. Throws
 * `BottleError`: exit 130 when cancelled anywhere, exit 5 without a single agent. Creates nothing.
 */
export async function askStart(wish: StartWish, deps: WizardDeps): Promise<StartWish> {
  // What can run here is found out while the first questions are answered.
  const backends = wish.backend === undefined ? deps.backends() : Promise.resolve([])
  backends.catch(() => undefined)
  const [agents, bottles, active] = await Promise.all([
    deps.manifests.listAgents(),
    deps.manifests.listBottles(),
    deps.active(),
  ])
  const usable = agents.filter((entry) => entry.kind === "ok")
  if (usable.length === 0) {
    throw new BottleError("there is no agent yet", {
      code: "no-agent",
      exit: "notFound",
      hint: "bottle init writes one",
    })
  }
  const agent = await askAgent(usable, active)
  const own = usable.find((entry) => entry.name === agent)?.agent.bottles ?? []
  const chosen = await askBottles(bottles, wish.bottles.length > 0 ? wish.bottles : own)
  const backend = wish.backend ?? (await askBackend(await backends))
  const used = active.map((row) => row.label)
  const label = wish.label ?? (await askLabel(agent, used))
  const color = wish.color ?? (await askColor(deps.colors))
  const copyCwd = wish.copyCwd || (await askCopy(wish.cwd))
  const prompt = wish.prompt ?? (takesPrompt(bottles, chosen) ? await askPrompt() : undefined)
  return { ...wish, agent, bottles: chosen, backend, label, color, copyCwd, prompt }
}

async function askAgent(
  usable: readonly (AgentEntry & { kind: "ok" })[],
  active: readonly { agent: string; state: string }[],
): Promise<string> {
  const running = (name: string) => active.filter((row) => row.agent === name && isRunning(row.state)).length
  return answered<string>(
    await autocomplete({
      message: "agent",
      options: usable.map(({ name, agent }) => {
        const count = running(name)
        const hint = [count > 0 ? `${count} running` : "", safeText(agent.description ?? "", 40)]
          .filter(Boolean)
          .join(", ")
        return { value: name, label: safeText(name), ...(hint === "" ? {} : { hint }) }
      }),
    }),
  )
}

/** The bottles are always shown; those of the agent stand chosen, and each more is merged after them. */
async function askBottles(entries: readonly BottleEntry[], own: readonly string[]): Promise<string[]> {
  const names = entries.filter((entry) => entry.kind === "ok").map((entry) => entry.name)
  let chosen = [...own]
  for (;;) {
    const left = names.filter((name) => !chosen.includes(name))
    const next = answered<string>(
      await select({
        message: `bottles, in merge order: ${chosen.map((name) => safeText(name)).join(", ") || "none yet"}`,
        options: [
          ...(chosen.length > 0 ? [{ value: finished, label: "these" }] : []),
          ...left.map((name) => ({ value: name, label: `then ${safeText(name)}` })),
          ...(chosen.length > 0 ? [{ value: startOver, label: "choose anew" }] : []),
        ],
      }),
    )
    if (next === finished) return chosen
    chosen = next === startOver ? [] : [...chosen, next]
  }
}

/** Enter alone takes one that nobody has. */
async function askLabel(agent: string, used: readonly string[]): Promise<string> {
  const free = freeLabel(agent, used)
  return answered<string>(
    await text({
      message: "label",
      defaultValue: free,
      placeholder: safeText(free),
      validate: (value) => whyNotLabel(value || free, used),
    }),
  )
}

/** Why a label cannot be had, or undefined. */
export function whyNotLabel(label: string, used: readonly string[]): string | undefined {
  if (used.includes(label)) return `${safeText(label)} is in use`
  return Buffer.byteLength(label) > 64 ? "at most 64 bytes" : undefined
}

async function askColor(colors: readonly string[]): Promise<string | undefined> {
  const none = ""
  const color = answered<string>(
    await select({
      message: "colour",
      options: [{ value: none, label: "none" }, ...colors.map((value) => ({ value, label: value }))],
    }),
  )
  return color === none ? undefined : color
}

/** One that can run is taken without a question. */
async function askBackend(usable: readonly BackendName[]): Promise<BackendName | undefined> {
  if (usable.length < 2) return undefined
  const options = usable.map((value) => ({ value, label: value }))
  return answered<BackendName>(await select({ message: "backend", options }))
}

async function askCopy(cwd: string): Promise<boolean> {
  return answered<boolean>(
    await confirm({ message: `copy ${safeText(cwd, 60)} into the workspace?`, initialValue: false }),
  )
}

async function askPrompt(): Promise<string | undefined> {
  const message = "first prompt (nothing: you type it to the agent)"
  const prompt = answered<string | undefined>(await text({ message, defaultValue: "" })) ?? ""
  return prompt.trim() === "" ? undefined : prompt
}

/** The CLIs of this build take a first prompt; a program, or a CLI that a file describes, is asked nothing. */
function takesPrompt(entries: readonly BottleEntry[], chosen: readonly string[]): boolean {
  const last = entries.find(({ name }) => name === chosen.at(-1))
  const template = last?.kind === "ok" ? last.bottle.provider.template : "command"
  return template !== "command" && providerNames.includes(template)
}

function isRunning(state: string): boolean {
  return state === "running" || state === "idle"
}

function answered<T>(answer: T | symbol): T {
  if (isCancel(answer)) throw cancelled()
  return answer as T
}

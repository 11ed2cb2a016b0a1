import { confirm, isCancel, select, text } from "@clack/prompts"
import { cancelled } from "../lib/terminal.ts"
import { isName, nameRule } from "../manifest/names.ts"
import { safeText } from "./safe-text.ts"

/** What the first agent shall be. */
export interface StarterWish {
  agent: string
  bottle: string
  /** A provider of this build. */
  template: string
  /** Name of the variable that holds its token; undefined: none yet. */
  token: string | undefined
}

export interface InitDeps {
  /** Providers of this build, in the order in which they are offered. */
  providers: readonly string[]
  /** Whether a program of this name is on PATH. */
  installed(name: string): boolean
  /** Names, never values, of what is set in the environment or named in settings.yml. */
  secretNames: readonly string[]
  /** Whether an agent or bottle file of that name is there. */
  taken(kind: "agent" | "bottle", name: string): boolean
}

/** Where each CLI's token is usually found. */
const usualTokens: Readonly<Record<string, readonly string[]>> = {
  claude: ["CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"],
  codex: ["OPENAI_API_KEY", "CODEX_API_KEY"],
  pi: ["ANTHROPIC_API_KEY", "ANTHROPIC_OAUTH_TOKEN", "OPENAI_API_KEY"],
}

/** Ask what the first agent shall be. Throws `BottleError`: exit 130 when cancelled anywhere. Writes nothing. */
export async function askStarter(deps: InitDeps): Promise<StarterWish> {
  const template = await askTemplate(deps)
  const token = template === "command" ? undefined : await askToken(template, deps)
  const agent = await askName("name of the agent", "agent", template === "command" ? "worker" : template, deps)
  const bottle = await askName("name of the bottle it runs in", "bottle", "dev", deps)
  return { agent, bottle, template, token }
}

/** Whether the operator wants what is asked; cancelling is a no. */
export async function agrees(message: string): Promise<boolean> {
  return (await confirm({ message, initialValue: false })) === true
}

async function askTemplate({ providers, installed }: InitDeps): Promise<string> {
  const options = providers.map((name) => ({
    value: name,
    label: name === "command" ? "another program" : name,
    ...(name === "command" ? {} : { hint: installed(name) ? "installed" : "not on this machine's PATH" }),
  }))
  const first = providers.find((name) => installed(name))
  return answered<string>(
    await select({ message: "which agent?", options, ...(first === undefined ? {} : { initialValue: first }) }),
  )
}

async function askToken(template: string, { secretNames }: InitDeps): Promise<string | undefined> {
  const usual = usualTokens[template] ?? []
  const found = usual.filter((name) => secretNames.includes(name))
  const rest = usual.filter((name) => !found.includes(name))
  const options = [
    ...found.map((name) => ({ value: name, label: name, hint: "found" })),
    ...rest.map((name) => ({ value: name, label: name, hint: "not set yet" })),
    { value: "", label: "none: the bottle has no token" },
  ]
  const answer = answered<string>(
    await select({ message: "where is its token? (the agent never sees the value)", options }),
  )
  return answer === "" ? undefined : answer
}

async function askName(message: string, kind: "agent" | "bottle", wanted: string, deps: InitDeps): Promise<string> {
  const free = [wanted, ...Array.from({ length: 99 }, (_, index) => `${wanted}-${index + 2}`)]
  const initialValue = free.find((name) => !deps.taken(kind, name)) ?? wanted
  return answered<string>(
    await text({
      message,
      initialValue,
      validate(value = "") {
        if (!isName(value)) return nameRule
        return deps.taken(kind, value) ? `${safeText(value)} is already there` : undefined
      },
    }),
  )
}

function answered<T>(answer: T | symbol): T {
  if (isCancel(answer)) throw cancelled()
  return answer as T
}

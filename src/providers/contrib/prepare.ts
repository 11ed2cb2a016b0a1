import { join, relative } from "node:path"
import type { GuestFile } from "../../../sidecars/guest/protocol.ts"
import type { Mount } from "../../backends/backend.ts"
import { BottleError } from "../../lib/errors.ts"
import type { Route } from "../../policy/types.ts"
import { notInstalled, packageOf } from "../installed.ts"
import type { HostLook, ProviderRequest, ProviderSession } from "../provider.ts"
import { refuseUnknown } from "../settings.ts"
import { skillFiles } from "../skills.ts"
import { superviseUrl } from "../supervise.ts"
import { refuseUnfit } from "../wants.ts"
import { fill, type PlaceholderValues } from "./placeholders.ts"
import type { ContribDescription } from "./schema.ts"

/** A session of a described CLI. Throws `BottleError`: exit 2 for what it cannot do, 3 settings, 4 not on PATH. */
export function prepareContrib(
  template: string,
  description: ContribDescription,
  want: ProviderRequest,
  host: HostLook,
): ProviderSession {
  refuseUnfit(want, template, `its arguments stand in contrib/${template}/provider.yaml`)
  refuseUnknown(want.settings, [])
  if (!want.headless && want.prompt !== undefined) {
    throw new BottleError(`${template} takes no first prompt on a terminal`, {
      code: "prompt-not-taken",
      exit: "usage",
      hint: "leave --first out and type it to the agent; or give it headless, with --prompt",
    })
  }
  const promptFile = join(want.home, ".bot-bottle", "system-prompt.md")
  const values = {
    home: want.home,
    workspace: want.workspace,
    system_prompt_file: promptFile,
    ca: want.ca,
    supervise_url: superviseUrl,
  }
  const { start, resume } = chooseArguments(template, description, want)
  const isShown = want.cli === "host"
  const cli = isShown ? showCommand(template, description, host) : inImage(description)
  const tools = isShown ? (description.programs ?? []).map((name) => showFile(template, name, host)) : []
  const filled = (words: readonly string[]) => [
    ...cli.command,
    ...words.map((word) => fill(word, withPrompt(values, want))),
  ]
  return {
    argv: filled(start),
    resumeArgv: filled(resume),
    env: Object.fromEntries(Object.entries(description.env ?? {}).map(([name, text]) => [name, fill(text, values)])),
    files: [...writtenFiles(description, want, values), ...skillFiles(want, description.skills ?? "")],
    mounts: [...cli.mounts, ...tools],
    path: isShown ? [binDirectory(template)] : [],
    routes: (description.routes ?? []).map((route) => withSlot(route, want.authSlot)),
    transcripts: [...(description.transcripts ?? [])],
    summary: `${description.command.program} from ${cli.source} (contrib/${template})`,
    ...registration(template, description, want, values),
  }
}

/** Without a file the CLI does not know of its operator: the bottle starts, and what to do is said. */
function registration(
  template: string,
  { supervise }: ContribDescription,
  want: ProviderRequest,
  values: PlaceholderValues,
): Pick<ProviderSession, "unregistered"> {
  if (!want.supervise || supervise?.files !== undefined) return {}
  const command = supervise?.register?.map((word) => fill(word, values))
  return {
    unregistered: command ?? `contrib/${template}/provider.yaml says neither supervise.files nor supervise.register`,
  }
}

function chooseArguments(template: string, description: ContribDescription, want: ProviderRequest) {
  const { args = [], resume = args, headless, headless_resume: headlessResume = headless } = description
  if (!want.headless) return { start: args, resume }
  if (headless !== undefined && headlessResume !== undefined) return { start: headless, resume: headlessResume }
  throw new BottleError(`the ${template} provider has no headless sessions`, {
    code: "no-headless",
    exit: "usage",
    hint: `write headless: with its arguments in contrib/${template}/provider.yaml`,
  })
}

function withPrompt(values: PlaceholderValues, { prompt }: ProviderRequest): PlaceholderValues {
  return prompt === undefined ? values : { ...values, prompt }
}

const binDirectory = (template: string) => `/opt/bot-bottle/contrib/${template}/bin`

/** An image has the program on its PATH, and what runs it beside it. */
function inImage({ command: { program } }: ContribDescription) {
  return { command: [program], mounts: [], source: "its image" }
}

/** What starts the CLI inside, and what of it the bottle must show. */
function showCommand(template: string, { command }: ContribDescription, host: HostLook) {
  const runtime = command.runtime === undefined ? [] : [showFile(template, command.runtime, host)]
  const before = runtime.map(({ target }) => target)
  if (command.show !== "package") {
    const mount = showFile(template, command.program, host)
    return { command: [...before, mount.target], mounts: [...runtime, mount], source: mount.source }
  }
  const source = findProgram(template, command.program, host)
  const root = packageOf(source, host)
  if (root === undefined) throw notInstalled(template, `${source} stands in no npm package`, "write show: file")
  const target = `/opt/bot-bottle/contrib/${template}/package`
  const mount: Mount = { source: root, target, readonly: true }
  return { command: [...before, join(target, relative(root, source))], mounts: [...runtime, mount], source }
}

function showFile(template: string, name: string, host: HostLook): Mount {
  return { source: findProgram(template, name, host), target: join(binDirectory(template), name), readonly: true }
}

function findProgram(template: string, name: string, host: HostLook): string {
  const found = host.which(name)
  if (found !== undefined) return found
  throw notInstalled(template, `there is no \`${name}\` on PATH`, `contrib/${template}/provider.yaml names it`)
}

function writtenFiles(description: ContribDescription, want: ProviderRequest, values: PlaceholderValues): GuestFile[] {
  const asking = want.supervise ? (description.supervise?.files ?? []) : []
  const others = (description.files ?? []).filter(({ path }) => !asking.some((file) => file.path === path))
  const written = [...others, ...asking].map(
    ({ path, content, executable }): GuestFile => ({
      path: join(want.home, path),
      mode: executable === true ? 0o700 : 0o600,
      content: fill(content, values),
    }),
  )
  // Always there, if empty: an argument may name it.
  const prompt = { path: values.system_prompt_file ?? "", mode: 0o600, content: want.systemPrompt }
  return [...written, prompt]
}

/** The token that is put in is the one slot that the bottle declares for its CLI; without one the route has none. */
function withSlot(route: Route, slot: string | undefined): Route {
  const { auth, ...rest } = route
  if (auth === undefined || slot === undefined) return rest
  return { ...rest, auth: { scheme: auth.scheme, token_ref: slot } }
}

import { type CommandContext, defineCommand, usageError } from "./_command.ts"

const verbs = ["list", "show", "approve", "modify", "reject", "watch"] as const
type Verb = (typeof verbs)[number]

const args = {
  verb: { type: "positional", default: "list", options: verbs, description: "What to do" },
  id: { type: "positional", description: "Proposal, such as p3k9x0a1b2c" },
  bottle: { type: "string", description: "list, watch: of this bottle only", valueHint: "SLUG" },
  all: { type: "boolean", description: "list: those that were decided as well" },
  once: { type: "boolean", description: "list: plain lines for scripts; approve: for the next matching request only" },
  for: { type: "string", description: "approve, modify: for a while, such as 30m", valueHint: "TIME" },
  save: { type: "boolean", description: "approve, modify: also into the bottle's file; the diff is shown first" },
  network: {
    type: "boolean",
    description: "Of a Dockerfile; show: with what it means; approve, modify: its RUN steps have a network",
  },
  "rebuild-now": {
    type: "boolean",
    description: "approve, modify: build a Dockerfile's image first, then stop the bottle and resume it",
  },
  note: { type: "string", description: "approve, modify: words for the agent", valueHint: "TEXT" },
  reason: { type: "string", description: "reject: why, for the agent", valueHint: "TEXT" },
  file: { type: "string", description: "modify: your text, instead of the editor", valueHint: "PATH" },
  "with-credential-to": {
    type: "string",
    description: "approve, modify: send the credential that is asked for to this host, typed by you",
    valueHint: "HOST",
  },
  "proposal-hash": {
    type: "string",
    description: "Decide only what was shown: `hash` of show --json",
    valueHint: "HASH",
  },
  yes: { type: "boolean", description: "approve, modify: do not ask" },
  json: { type: "boolean", description: "Print data" },
} as const

export type ProposalArgs = CommandContext<typeof args>["args"]

const imageFlags = ["network", "rebuild-now"] as const

/** Which flags go with which verb: one that would have no effect is a mistake. */
const flagsOf: Readonly<Record<Verb, readonly (keyof typeof args)[]>> = {
  list: ["bottle", "all", "once", "json"],
  watch: ["bottle", "json"],
  show: ["save", "network", "json"],
  approve: ["once", "for", "save", "note", "with-credential-to", ...imageFlags, "proposal-hash", "yes", "json"],
  modify: ["once", "for", "save", "note", "file", "with-credential-to", ...imageFlags, "proposal-hash", "yes", "json"],
  reject: ["reason", "proposal-hash", "json"],
}

export default defineCommand({
  meta: { name: "proposals", description: "See and decide what agents ask for" },
  args,
  examples: [
    "bottle proposals",
    "bottle proposals show p3k9x0a1b2c",
    "bottle proposals approve p3k9x0a1b2c --for 30m",
    "bottle proposals approve p3k9x0a1b2c --rebuild-now",
    'bottle proposals reject p3k9x0a1b2c --reason "use the mirror"',
  ],
  async run({ args: given, shell }) {
    const { verb, id } = given
    const known: readonly string[] = ["verb", "id", ...flagsOf[verb]]
    const odd = Object.entries(given).find(
      ([name, value]) => !known.includes(name) && value !== undefined && value !== false,
    )
    if (odd !== undefined) throw usageError(`--${odd[0]} does not go with ${verb}`, "bottle proposals --help")
    const takesId = verb !== "list" && verb !== "watch"
    if (!takesId && id !== undefined) throw usageError(`proposals ${verb} takes no id`, "one bottle's: --bottle SLUG")
    if (takesId && id === undefined)
      throw usageError(`proposals ${verb} needs an id`, "those that are open: bottle proposals")
    if (verb === "list") return (await import("./proposals/list.ts")).runList(given, shell)
    if (verb === "watch") return (await import("./proposals/watch.ts")).runWatch(given, shell)
    if (verb === "show") return (await import("./proposals/show.ts")).runShow(id ?? "", given, shell)
    if (verb === "reject") return (await import("./proposals/decide.ts")).runReject(id ?? "", given, shell)
    return (await import("./proposals/decide.ts")).runApprove(id ?? "", verb === "modify", given, shell)
  },
})

import { readLogs } from "../../bottle/logs.ts"
import { change, operator, viewPolicy, viewProposal } from "../../bottle/proposals/ask.ts"
import { settledLines } from "../../bottle/settle.ts"
import { stopBottle } from "../../bottle/stop.ts"
import type { Paths } from "../../lib/paths.ts"
import type { Beside } from "../../tmux/beside.ts"
import { outcomeLines } from "../proposal-lines.ts"
import type { Screen } from "./screen.ts"
import type { Effect, Event } from "./state/types.ts"

export interface EffectDeps {
  paths: Paths
  /** This binary. */
  bin: string
  /** Undefined outside tmux. */
  beside: Beside | undefined
  screen: Screen
  editText(text: string, suffix: string): Promise<string>
  /** Ask what to start on a surface of tmux; false: there is none. */
  askStart(): Promise<boolean>
  /** Run a command of ours on the terminal, in the dashboard's place. */
  handOver(argv: readonly string[]): Promise<void>
  tell(event: Event): void
  quit(): void
}

const proposalSuffix = { "egress-block": ".yaml", "pipelock-block": ".txt", "capability-block": ".dockerfile" } as const
const policySuffix = { routes: ".yaml", allowlist: ".txt" } as const

/** Does what the state asks for. What fails is said in the dashboard, and never ends it. */
export function createEffects(deps: EffectDeps): (effect: Effect) => void {
  const { tell } = deps
  let endLogs = () => {}
  const say = (text: string) => tell({ kind: "say", text })
  return (effect) => {
    if (effect.kind === "end-logs") return endLogs()
    if (effect.kind === "logs") {
      endLogs()
      endLogs = followLogs(effect.slug, deps)
      return
    }
    void run(effect, deps).catch((error) => {
      tell({ kind: "busy", what: undefined })
      const hint = (error as { hint?: string }).hint
      const why = `${error instanceof Error ? error.message : String(error)}${hint === undefined ? "" : ` (${hint})`}`
      if (effect.kind === "view") tell({ kind: "unviewed", id: effect.id, why })
      else if (effect.kind === "approve" || effect.kind === "reject") tell({ kind: "unviewed", id: effect.id, why })
      else say(why)
    })
  }
}

async function run(effect: Exclude<Effect, { kind: "logs" | "end-logs" }>, deps: EffectDeps): Promise<void> {
  const { paths, tell, screen } = deps
  const at = () => performance.now()
  switch (effect.kind) {
    case "quit":
      return deps.quit()
    case "ring":
      return screen.ring()
    case "view": {
      const { slug, id, text } = effect
      const own = text === undefined ? {} : { text }
      const seen = await viewProposal(paths, slug, id, own)
      return tell({ kind: "viewed", id, ...own, seen, at: at() })
    }
    case "edit-proposal": {
      const { id, text } = effect
      const edited = await screen.lend(() => deps.editText(text, proposalSuffix[effect.tool]))
      return tell({ kind: "edited", id, text: edited.trimEnd() === text.trimEnd() ? undefined : edited, at: at() })
    }
    case "approve":
    case "reject":
      return decide(effect, deps)
    case "edit-policy":
      return editPolicy(effect, deps)
    case "attach":
      return attach(effect.slug, deps)
    case "start": {
      if (!(await deps.askStart())) await deps.handOver(["start"])
      return lookBeside(deps)
    }
    case "stop":
      return stop(effect, deps)
    case "find-undo": {
      const { grants } = await viewPolicy(paths, effect.slug)
      const newest = grants.at(-1)
      if (newest === undefined) return tell({ kind: "say", text: `nothing to take back in ${effect.slug}` })
      return tell({ kind: "undo", slug: effect.slug, seq: newest.seq, what: newest.what })
    }
    case "undo": {
      const { slug, seq } = effect
      const outcome = await change(paths, slug, { op: "undo", seq, by: operator() })
      return tell({ kind: "say", text: outcomeLines(outcome, `line ${seq}`, slug).join("; ") })
    }
  }
}

async function decide(effect: Extract<Effect, { kind: "approve" | "reject" }>, { paths, tell }: EffectDeps) {
  const { slug, id, shown } = effect
  const decision =
    effect.kind === "reject"
      ? ({ action: "reject", shown, reason: effect.reason } as const)
      : ({
          action: "approve",
          shown,
          scope: { kind: effect.once ? "once" : "session" },
          notes: "",
          ...(effect.text === undefined ? {} : { text: effect.text }),
        } as const)
  const outcome = await change(paths, slug, { op: "decide", id, by: operator(), decision })
  tell({ kind: "decided", id, outcome, lines: outcomeLines(outcome, id, slug), at: performance.now() })
}

/** The policy that is in force is edited, bound to the one that was shown; a text that is refused is offered again. */
async function editPolicy({ slug, what }: Extract<Effect, { kind: "edit-policy" }>, deps: EffectDeps): Promise<void> {
  const { paths, tell, screen } = deps
  const policy = await viewPolicy(paths, slug)
  const before = policy[what]
  const text = await screen.lend(() => deps.editText(before, policySuffix[what]))
  if (text.trimEnd() === before.trimEnd()) return tell({ kind: "say", text: `unchanged: ${what} of ${slug}` })
  const outcome = await change(paths, slug, { op: "edit", what, text, hash: policy.hash, by: operator() })
  tell({ kind: "say", text: outcomeLines(outcome, what, slug).join("; ") })
}

/** In tmux beside the dashboard; where that fails, or without tmux, in its place. */
async function attach(slug: string, deps: EffectDeps): Promise<void> {
  const { beside, bin } = deps
  if (beside === undefined) return deps.handOver(["attach", slug])
  if (!(await beside.goTo(slug))) {
    const why = await beside.open([bin, "attach", slug])
    if (why !== undefined) {
      await deps.handOver(["attach", slug])
      deps.tell({ kind: "say", text: `tmux: ${why}; the agent was shown here` })
    }
  }
  await lookBeside(deps, slug)
}

/** Stop a bottle; where it was shown beside the dashboard the next one takes its place. */
async function stop({ slug, next }: Extract<Effect, { kind: "stop" }>, deps: EffectDeps): Promise<void> {
  const { paths, tell, beside, bin } = deps
  tell({ kind: "busy", what: `stopping ${slug}` })
  const pane = await beside?.hold(slug)
  try {
    const settled = await stopBottle(paths, slug)
    tell({ kind: "say", text: settledLines(slug, settled).join("; ") })
  } finally {
    tell({ kind: "busy", what: undefined })
    if (pane !== undefined) {
      await beside?.replace(pane, next === undefined ? undefined : { slug: next, argv: [bin, "attach", next] })
    }
    await lookBeside(deps, pane === undefined ? undefined : next)
  }
}

/** A program that was just started marks its pane when it is attached: looked for this often, in ms, and so many times. */
const lookEvery = 200
const looks = 25

/** Find out which bottle is shown beside; with `awaited` until that one is. */
export async function lookBeside(
  { beside, tell }: Pick<EffectDeps, "beside" | "tell">,
  awaited?: string,
): Promise<void> {
  if (beside === undefined) return
  for (let left = looks; left > 0; left -= 1) {
    const slug = await beside.shown()
    tell({ kind: "beside", slug })
    if (awaited === undefined || slug === awaited) return
    await Bun.sleep(lookEvery)
  }
}

function followLogs(slug: string, { paths, tell }: EffectDeps): () => void {
  let open = true
  const read = async () => {
    let lines: string[] = []
    const flush = () => {
      if (open && lines.length > 0) tell({ kind: "log", slug, lines })
      lines = []
    }
    const timer = setInterval(flush, 50)
    try {
      for await (const { source, line } of readLogs(paths, slug, undefined, true)) {
        if (!open) return
        lines.push(`${source.padEnd(8)} ${line}`)
      }
      lines.push("(the end)")
    } catch (error) {
      lines.push(error instanceof Error ? error.message : String(error))
    } finally {
      flush()
      clearInterval(timer)
    }
  }
  void read()
  return () => {
    open = false
  }
}

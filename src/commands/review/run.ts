import { bottleOf, listProposals } from "../../bottle/proposals/list.ts"
import { watchProposals } from "../../bottle/proposals/watch.ts"
import { ExitCode } from "../../lib/errors.ts"
import type { FileLock } from "../../lib/kernel.ts"
import { openReviews } from "../../tmux/reviews.ts"
import { currentSocket } from "../../tmux/tmux.ts"
import { drawReview } from "../../ui/review/draw.ts"
import { type Happening, startReview, wantsSave } from "../../ui/review/model.ts"
import { leaveScreen, openScreen } from "../../ui/review/screen.ts"
import { step } from "../../ui/review/step.ts"
import { guardTerminal } from "../../ui/terminal-guard.ts"
import type { Shell } from "../_shell.ts"
import { carryOut } from "./carry-out.ts"

/** How long no key may have been pressed before keys count, in ms (SECURITY 21). */
const quietTime = 1_000
/** How often what is at hand is asked for again, in ms: the policy in force moves without a word in the queue. */
const freshEvery = 1_000

/** Show open proposals, follow the queue and the policy, and carry out what is decided, until the operator leaves. */
export async function runReview(first: string | undefined, shell: Shell): Promise<number> {
  const { paths, env } = shell
  const at = first === undefined || bottleOf(paths, first).decided !== undefined ? undefined : first
  const left = Promise.withResolvers<void>()
  const watching = new AbortController()
  const quiet = waitForQuiet(() => happen({ kind: "quiet" }))
  const screen = openScreen(shell.stdin, !env.NO_COLOR, {
    onKey: (key) => happen({ kind: "key", key }),
    onSize: (size) => happen({ kind: "size", size }),
  })
  let review = startReview(screen.size(), at)

  function happen(happening: Happening): void {
    const { epoch, armed } = review
    const next = step(review, happening)
    review = next.review
    screen.draw(drawReview(review))
    if (review.epoch !== epoch || (happening.kind === "key" && !armed)) quiet.begin()
    for (const effect of next.effects) {
      if (effect.kind === "leave") left.resolve()
      else void carryOut(effect, { shell, screen, open: review.open }).then(happen)
    }
  }
  const list = () =>
    happen({ kind: "queue", open: listProposals(paths, undefined, false).listed.map((one) => one.proposal) })

  const tmux = currentSocket(env)
  let shown: FileLock | undefined
  const freshen = () => {
    if (tmux !== undefined) shown ??= openReviews(paths.runtimeRoot).show(tmux)
    const { at: id, mode } = review
    if (id === undefined || mode.kind === "busy") return
    const text = review.shown?.text
    const load = { kind: "load", id, save: wantsSave(review), ...(text === undefined ? {} : { text }) } as const
    void carryOut(load, { shell, screen, open: review.open }).then(happen)
  }
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) process.once(signal, () => left.resolve())
  list()
  if (tmux !== undefined) shown = openReviews(paths.runtimeRoot).show(tmux)
  const guard = guardTerminal(1)
  guard?.note(leaveScreen)
  const timer = setInterval(freshen, freshEvery)
  void (async () => {
    let due = false
    for await (const _event of watchProposals(paths, undefined, watching.signal)) {
      if (due) continue
      due = true
      // One look for all that changed together.
      setImmediate(() => {
        due = false
        if (!watching.signal.aborted) list()
      })
    }
  })()
  try {
    await left.promise
  } finally {
    clearInterval(timer)
    quiet.end()
    watching.abort()
    screen.close()
    await guard?.release()
    shown?.release()
  }
  return ExitCode.ok
}

/**
 * Calls when a second went by without `begin`. A process that was held up reads the keys of that time before it counts
 * the second as quiet: the timer only says that it may look.
 */
function waitForQuiet(quiet: () => void): { begin(): void; end(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0
  return {
    begin() {
      clearTimeout(timer)
      turn += 1
      const mine = turn
      timer = setTimeout(() => {
        setImmediate(() => setImmediate(() => mine === turn && quiet()))
      }, quietTime)
    },
    end() {
      clearTimeout(timer)
      turn += 1
    },
  }
}

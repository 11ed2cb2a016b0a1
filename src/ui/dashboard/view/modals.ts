import { safeText } from "../../safe-text.ts"
import { modalHeight } from "../state/layout.ts"
import type { Detail, Modal, State } from "../state/types.ts"
import { type Row, span } from "./cells.ts"
import { detailRows } from "./detail-lines.ts"

/** What lies over both panes: its rows, and the keys it takes. Undefined: the panes are seen. */
export function modalView(state: State): { title: string; rows: readonly Row[]; keys: string } | undefined {
  const { modal, size } = state
  const height = modalHeight(size)
  switch (modal?.kind) {
    case "detail": {
      const rows = detailRows(state, modal)
      const top = Math.min(modal.top, Math.max(0, rows.length - height))
      const more = rows.length > top + height ? ` (${rows.length - top - height} more lines: j)` : ""
      return { title: `PROPOSAL ${modal.id}${more}`, rows: rows.slice(top, top + height), keys: detailKeys(modal) }
    }
    case "logs": {
      const last = Math.max(0, modal.lines.length - height)
      const top = modal.follow ? last : modal.top
      const rows = modal.lines.slice(top, top + height).map((line) => [span(safeText(line))])
      return { title: `LOGS ${modal.slug}`, rows, keys: `j/k scroll  G follow${modal.follow ? "s" : ""}  q back` }
    }
    case "help":
      return {
        title: "KEYS",
        rows: help.slice(modal.top, modal.top + height).map((line) => [span(line)]),
        keys: "any key goes back",
      }
    default:
      return undefined
  }
}

function detailKeys({ step, over, view, armed }: Detail): string {
  if (over || view === undefined) return "q back"
  switch (step.kind) {
    case "look":
      return `a approve  m modify  r reject  j/k scroll  q back${armed ? "" : "  (keys count after a quiet second)"}`
    case "approve":
      return "Enter approves until the bottle ends  o for one request only  any other key: no"
    case "reject":
      return "Enter rejects  Esc does not; nothing typed aborts"
    case "deciding":
      return "being put in force"
  }
}

/** A question in the status line. */
export function question(modal: Modal | undefined): string | undefined {
  switch (modal?.kind) {
    case "stop":
      return `stop ${modal.slug}? y/N`
    case "undo":
      return `take back ${safeText(modal.what, 60)} in ${modal.slug} (line ${modal.seq})? y/N`
    case "detail":
      return modal.step.kind === "reject" ? `reason: ${safeText(modal.step.reason, 2_000)}_` : undefined
    default:
      return undefined
  }
}

const help: readonly string[] = [
  "Tab          the other pane",
  "j k arrows   move; g G the first, the last; PgUp PgDn a page",
  "/            show only rows that hold a text; Esc shows all again",
  "n            start an agent",
  "u            take back an approval that is in force",
  "q Esc        leave; bottles go on running",
  "",
  "Proposals",
  "  Enter v    look at it; there a, then Enter, approves",
  "  a m r      approve, modify in your editor, reject with a reason",
  "",
  "Agents",
  "  Enter v    go to the agent: beside this in tmux, else in its place",
  "  e p        edit the routes, the allowlist in force",
  "  x          stop the bottle",
  "  l          its logs",
  "",
  "Marks",
  "  >          the cursor, in the pane that has the keys",
  "  *          the agent shown beside the dashboard",
  "  (new!)     came within the last five seconds",
  "  (starting) (degraded: a sidecar is down, nothing leaves) (idle: no agent process)",
]

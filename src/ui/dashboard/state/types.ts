import type { Outcome, ProposalView } from "../../../bottle/keeper/proposals/wire.ts"
import type { ActiveBottle } from "../../../bottle/registry.ts"
import type { Proposal } from "../../../proposals/types.ts"

/** The dashboard as a value: keys and news make the next one, the view draws it. Times are ms of one clock. */
export interface State {
  proposals: readonly Proposal[]
  agents: readonly ActiveBottle[]
  focus: PaneName
  proposalsPane: Pane
  agentsPane: Pane
  /** What rows must hold to be shown, in both panes; "" shows all. */
  filter: string
  /** Said in the last line until the next key. */
  said: string | undefined
  modal: Modal | undefined
  /** Proposals that came while this was open, by id, until when they are shown as new. */
  fresh: ReadonlyMap<string, number>
  /** Whether the first list of proposals has come: those in it are not news. */
  filled: boolean
  /** The bottle that is shown right of the dashboard. */
  beside: string | undefined
  /** The approval made last from here, which `u` takes back. */
  last: { slug: string; seq: number } | undefined
  /** Something that keeps the operator waiting, such as a stop. */
  busy: string | undefined
  size: Size
}

export type PaneName = "proposals" | "agents"

export interface Pane {
  /** Id of the row under the cursor: it stays on it as others come and go. */
  selected: string | undefined
  /** Number of the first row shown. */
  top: number
}

export interface Size {
  cols: number
  rows: number
}

/** What lies over the panes and takes the keys. */
export type Modal =
  | { kind: "help"; top: number }
  | { kind: "filter" }
  | { kind: "stop"; slug: string }
  | { kind: "undo"; slug: string; seq: number; what: string }
  | { kind: "logs"; slug: string; lines: readonly string[]; top: number; follow: boolean }
  | Detail

/** One proposal, as its keeper describes it now. */
export interface Detail {
  kind: "detail"
  id: string
  slug: string
  /** About the operator's own text where there is one; undefined until the keeper has answered. */
  view: ProposalView | undefined
  /** The operator's own text, from the editor. */
  text: string | undefined
  top: number
  /** When what can be decided was drawn, or the last key before it was armed: decisions count a second later. */
  quietSince: number
  /** A second has passed without a key. */
  armed: boolean
  step: { kind: "look" } | { kind: "approve" } | { kind: "reject"; reason: string } | { kind: "deciding" }
  /** What happened to it: it moved, or a decision failed. */
  note: readonly string[]
  /** It is decided: nothing is left but to leave. */
  over: boolean
}

export type Event =
  | { kind: "key"; key: Key; at: number }
  | { kind: "proposals"; list: readonly Proposal[]; at: number }
  | { kind: "agents"; list: readonly ActiveBottle[] }
  | { kind: "beside"; slug: string | undefined }
  /** `text`: the operator's own, which the view is about; absent: it is about the agent's. */
  | { kind: "viewed"; id: string; text?: string; seen: { view: ProposalView } | { outcome: Outcome }; at: number }
  | { kind: "unviewed"; id: string; why: string }
  | { kind: "edited"; id: string; text: string | undefined; at: number }
  | { kind: "decided"; id: string; outcome: Outcome; lines: readonly string[]; at: number }
  | { kind: "undo"; slug: string; seq: number; what: string }
  | { kind: "log"; slug: string; lines: readonly string[] }
  | { kind: "busy"; what: string | undefined }
  | { kind: "say"; text: string }
  | { kind: "size"; size: Size }
  /** Time went by. */
  | { kind: "tick"; at: number }

export interface Key {
  /** `a`, `G`, `return`, `escape`, `tab`, `up`, `down`, `pageup`, `pagedown`, `home`, `end`, `backspace`, `ctrl-c`. */
  name: string
  /** What it types; "" for keys that type nothing. */
  text: string
}

/** What the shell around the state is to do. Each that fails says so with an event. */
export type Effect =
  | { kind: "quit" }
  | { kind: "ring" }
  | { kind: "view"; slug: string; id: string; text?: string }
  | { kind: "edit-proposal"; id: string; tool: Proposal["tool"]; text: string }
  | { kind: "approve"; slug: string; id: string; shown: string; once: boolean; text: string | undefined }
  | { kind: "reject"; slug: string; id: string; shown: string; reason: string }
  | { kind: "edit-policy"; slug: string; what: "routes" | "allowlist" }
  | { kind: "attach"; slug: string }
  | { kind: "start" }
  | { kind: "stop"; slug: string; next: string | undefined }
  | { kind: "find-undo"; slug: string }
  | { kind: "undo"; slug: string; seq: number }
  | { kind: "logs"; slug: string }
  | { kind: "end-logs" }

export interface Step {
  state: State
  effects: readonly Effect[]
}

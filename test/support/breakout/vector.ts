/** What holds an attack back when all is well; also the last column of the table. */
export type Gate =
  | "no network"
  | "seccomp"
  | "user namespace"
  | "mounts"
  | "pid namespace"
  | "egress: host"
  | "egress: TLS name"
  | "egress: framing"
  | "egress: route"
  | "egress: address"
  | "egress: strip"
  | "redaction"
  | "limits"

/** What would count as a leak, for this attack. */
export type Leak =
  /** The canary in anything that was captured. */
  | "canary"
  /** The canary in the request line or a header of a request as the upstream read it; a body may carry it. */
  | "head"
  /** The slot's value in what the attack could read. */
  | "secret"
  /** The attack says so itself: it printed `LEAK`. Or the canary was captured. */
  | "said"

/** One attack, as data: the same text runs inside a bottle and, to show that it arrives, outside. */
export interface Vector {
  name: string
  /** A number of the field's list of bypasses, or `own`. */
  source: string
  gate: Gate
  leak: Leak
  lang: "sh" | "py"
  /** Reads `$CANARY`; in Python everything of attack.py is at hand. */
  run: string
  /** Why it is not shown outside the fence. Absent: it must get through there. */
  unshown?: string
  /** Shown outside the fence only where this kernel can do it. */
  mayLack?: true
  /** It gets through, and why that is so: a limit of the product that its documents name. */
  limit?: string
  /** Runs after all others, with nothing beside it. */
  alone?: true
}

type Extra = Partial<Pick<Vector, "unshown" | "alone" | "mayLack" | "leak" | "limit">>

/** Attacks of one kind: what they have in common, then name, source and script of each. */
export function vectors(
  common: Pick<Vector, "gate" | "leak" | "lang"> & Omit<Extra, "leak">,
  ...list: readonly (readonly [name: string, source: string, run: string, extra?: Extra])[]
): Vector[] {
  return list.map(([name, source, run, extra]) => ({ ...common, name, source, run: run.trim(), ...extra }))
}

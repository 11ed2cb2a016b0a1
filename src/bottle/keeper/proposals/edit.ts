import { randomBytes } from "node:crypto"
import { parseAllowlist } from "../../../policy/allowlist.ts"
import { canonicalJson } from "../../../policy/canonical-json.ts"
import { compilePolicy } from "../../../policy/compile.ts"
import { hashPolicy } from "../../../policy/hash.ts"
import type { EgressPolicy } from "../../../policy/types.ts"
import { originKey } from "../../../policy/widen.ts"
import type { Change, Grant } from "../../../proposals/grants.ts"
import { parseRoutes } from "../../../proposals/route-text.ts"
import type { ProposalDesk } from "./desk.ts"
import { changeFact } from "./facts.ts"
import type { Outcome, ProposalRequest } from "./wire.ts"

type EditRequest = Extract<ProposalRequest, { op: "edit" }>

/**
 * The operator's own text in place of the routes or the allowlist in force, for this session. It is kept as what it
 * changes, so that an approval beneath it can still end or be undone.
 */
export async function editPolicy(request: EditRequest, desk: ProposalDesk): Promise<Outcome> {
  const { decider } = desk
  const before = decider.policy
  if (hashPolicy(before) !== request.hash) return { kind: "stale" }
  const change =
    request.what === "routes" ? await editRoutes(request.text, before) : editAllowlist(request.text, before)
  if ("why" in change) return { kind: "refused", ...change }
  const decision = `d${randomBytes(8).toString("hex")}`
  const grant: Grant = { id: decision, seq: 0, scope: { kind: "session" }, change }
  const grants = [...decider.grants, grant]
  const after = decider.policyOf(grants)
  if (hashPolicy(after) === request.hash) return { kind: "unchanged" }
  const [problem] = compilePolicy(after).problems
  if (problem !== undefined) return { kind: "refused", why: `${problem.where}: ${problem.why}` }
  const slot = after.routes.flatMap(({ auth }) => auth?.token_ref ?? []).find((name) => !desk.plan.slots.includes(name))
  if (slot !== undefined) {
    return {
      kind: "refused",
      why: `${slot} is not a slot of this bottle's file`,
      hint: "declare it there, then resume",
    }
  }
  const component = request.what === "routes" ? "egress" : "pipelock"
  const fact = changeFact("operator-edit", component, { before, after }, { by: request.by, what: request.what })
  const done = await decider.carryOut({ decision, grants, fact })
  if (done.kind === "failed") return done
  return { kind: "done", status: "edited", seq: done.seq, applied: { diff: fact.diff, notes: "", warnings: [] } }
}

type Edit = Extract<Change, { kind: "edit" }> | { why: string }
const empty = { put: [], drop: [], list: [], unlist: [] }

async function editRoutes(text: string, before: EgressPolicy): Promise<Edit> {
  const parsed = await parseRoutes(text)
  if (parsed.kind === "bad") return { why: parsed.why }
  const wanted = new Map(parsed.value.map((route) => [originKey(route), route]))
  const [twice] = parsed.value.filter((route) => wanted.get(originKey(route)) !== route)
  if (twice !== undefined) return { why: `${originKey(twice)} is written twice` }
  const had = new Map(before.routes.map((route) => [originKey(route), canonicalJson(route)]))
  const put = parsed.value.filter((route) => had.get(originKey(route)) !== canonicalJson(route))
  return { kind: "edit", ...empty, put, drop: [...had.keys()].filter((key) => !wanted.has(key)) }
}

function editAllowlist(text: string, before: EgressPolicy): Edit {
  const parsed = parseAllowlist(text)
  if (parsed.kind === "bad") {
    const [problem] = parsed.problems
    return { why: `line ${problem?.line ?? 1}: ${problem?.why ?? "not a host"}` }
  }
  const list = parsed.hosts.filter((host) => !before.allowlist.includes(host))
  const unlist = before.allowlist.filter((host) => !parsed.hosts.includes(host))
  return { kind: "edit", ...empty, list, unlist }
}

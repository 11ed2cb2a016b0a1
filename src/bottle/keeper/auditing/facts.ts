import type { AuditFact } from "../../../audit/types.ts"
import type { Probe } from "../../../backends/backend.ts"
import { version } from "../../../lib/version.ts"
import { hashPolicy } from "../../../policy/hash.ts"
import type { FreezeManifest } from "../../freeze/manifest.ts"
import type { Plan } from "../../plan-types.ts"
import type { EndFacts } from "../../settle.ts"
import type { RefusalCounts } from "./refusal-counts.ts"

type Detail = NonNullable<AuditFact["detail"]>

function session(operator_action: string, detail: Detail, operator_notes = ""): AuditFact {
  return { component: "session", operator_action, operator_notes, justification: "", diff: "", detail }
}

/** Who is started, under what. */
export function launchFact(plan: Plan, resume: boolean): AuditFact {
  const { agent, backend, provider, bottles, label, policy, headless, discard } = plan
  return session(resume ? "resume" : "start", {
    version,
    uid: process.getuid?.() ?? null,
    label,
    agent: agent.name,
    agent_sha256: agent.origin?.sha256 ?? null,
    agent_scope: agent.origin?.scope ?? null,
    bottles: bottles.join(","),
    backend: backend.name,
    provider: provider.template,
    policy_hash: hashPolicy(policy),
    routes: policy.routes.length,
    headless,
    discard,
  })
}

/** The fence proof (DESIGN §6): each probe by side and name, with `ok` or what was seen instead. */
export function proofFact(probes: readonly Probe[]): AuditFact {
  const failed = probes.filter(({ ok }) => !ok).length
  const each = probes.map(({ side, name, ok, detail }) => [`${side}: ${name}`, ok ? "ok" : `FAILED ${detail}`])
  return {
    ...session("proof", { ...Object.fromEntries(each), ok: failed === 0, probes: probes.length, failed }),
    component: "fence",
  }
}

/** What a frozen bottle is resumed from: whoever changes it at rest, list and all, is not as it was signed. */
export function frozenFact({ archives, files, system }: FreezeManifest): AuditFact {
  return session("freeze", {
    home_sha256: archives.home.sha256,
    workspace_sha256: archives.workspace.sha256,
    files_sha256: files.sha256,
    system: system ?? null,
  })
}

export const failedFact = (why: string, code: string): AuditFact => session("launch-failed", { why, code })

export const takenOverFact = (pid: number): AuditFact => session("take-over", { pid })

/** How a bottle ended and what became of its state; `destroy` is the operator's word to remove it. */
export function endFact(
  { how, exitCode, why, destroy }: Pick<EndFacts, "how" | "exitCode" | "why"> & { destroy: boolean },
  reasons: readonly string[],
): AuditFact {
  return session(destroy ? "destroy" : how === "stop" ? "stop" : "end", {
    how,
    exit_code: how === "exit" ? exitCode : null,
    why: why ?? null,
    kept: reasons.length > 0,
    reasons: reasons.join("; "),
  })
}

/** An end that a killed keeper had begun was finished by the next one. */
export const endFinishedFact = (kept: boolean): AuditFact => session("end", { how: "finished-by-next-keeper", kept })

export const closedFact = (reason: string): AuditFact => session("closed", { reason, kept: true })

/** A bottle at rest was removed by a command, without a keeper. */
export const destroyedFact = (): AuditFact => session("destroy", { how: "at-rest", kept: false })

export function refusedFact(counts: RefusalCounts): AuditFact {
  return { ...session("refused", counts.detail()), component: "egress" }
}

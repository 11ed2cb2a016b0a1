import type { SidecarCall } from "../../../../sidecars/control.ts"
import { mostJustification, mostProposedFile, type ProposalTool, proposalTools } from "../../../proposals/types.ts"

/** A sidecar's call in its shape and within its limits; undefined for anything else. Nothing of it is believed. */
export function parseSidecarCall(value: unknown): SidecarCall | undefined {
  if (typeof value !== "object" || value === null) return undefined
  const { op, tool, proposed_file, justification, id } = value as Record<string, unknown>
  if (op === "list-egress-routes") return { op }
  if (op === "proposal-status") return isText(id, 64) ? { op, id } : undefined
  if (op !== "propose" || !isTool(tool)) return undefined
  if (!isText(proposed_file, mostProposedFile) || !isText(justification, mostJustification)) return undefined
  return { op, tool, proposed_file, justification }
}

function isTool(value: unknown): value is ProposalTool {
  return proposalTools.some((tool) => tool === value)
}

/** Text that every file and terminal can hold: no NUL, no half of a surrogate pair. */
function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.length <= most && value.isWellFormed() && !value.includes("\0")
}

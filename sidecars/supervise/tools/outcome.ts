import type { ProposalResponse } from "../../../src/proposals/types.ts"

/** What a call returns: as data, and as words for a model that reads only text. */
export interface Outcome {
  status: ProposalResponse["status"] | "pending" | "refused"
  notes: string
  final: string
  /** Of the proposal; absent where there is none. */
  id?: string
}

export function outcomeOf({ proposal_id, status, notes, final_file }: ProposalResponse): Outcome {
  return { status, notes, final: final_file, id: proposal_id }
}

export function refused(message: string): Outcome {
  return { status: "refused", notes: message, final: "" }
}

export function pending(id: string): Outcome {
  const notes = `Nobody has decided yet. The proposal stays open: call proposal-status with id ${id} and wait_seconds, or go on with other work.`
  return { status: "pending", notes, final: "", id }
}

/** The outcome in sentences. */
export function wordsOf({ status, notes, final, id }: Outcome): string {
  const about = id === undefined ? "" : ` (${id})`
  const said = notes === "" ? "" : `\nThe operator's note: ${notes}`
  switch (status) {
    case "approved":
      return `Approved${about}. It is in force: repeat the request that was refused.${said}${granted(final)}`
    case "modified":
      return `Approved with changes${about}. What follows is in force, and may be less than you asked for.${said}${granted(final)}`
    case "rejected":
      return `Rejected${about}. Do not ask for the same again; find another way or tell the user.${said}`
    case "expired":
      return `Expired${about}: nobody decided.${notes === "" ? "" : ` ${notes}`}`
    case "pending":
      return notes
    case "refused":
      return `Not asked: ${notes}`
  }
}

function granted(final: string): string {
  return final === "" ? "" : `\nGranted:\n${final}`
}

import type { Outcome } from "../../bottle/keeper/proposals/wire.ts"
import { ExitCode } from "../../lib/errors.ts"

/** DESIGN §8: a decision that was not taken is denied, one that left the proposal open is pending. */
export function exitOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case "done":
    case "unchanged":
      return ExitCode.ok
    case "stale":
    case "failed":
      return ExitCode.pending
    case "taken":
    case "refused":
      return ExitCode.denied
    case "unknown":
      return ExitCode.notFound
  }
}

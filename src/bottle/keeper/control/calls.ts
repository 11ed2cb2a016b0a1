import type { CallResult, SidecarCall, SidecarEvent, SidecarName } from "../../../../sidecars/control.ts"
import { printRoutesForAgent } from "../../../policy/route-text.ts"
import type { EgressPolicy } from "../../../policy/types.ts"

/** What answers the questions that sidecars ask for the agent. */
export interface SidecarCalls {
  /**
   * Shape and sizes are checked by then (`parseSidecarCall`), meaning is not. What it throws becomes a refusal without
   * its words. A call that no keeper answered is asked again of the next one.
   */
  onCall(sidecar: SidecarName, request: SidecarCall): Promise<CallResult>
  /** What a sidecar told, once it is written down. */
  onTold?(event: SidecarEvent): void
  /** What stands between the agent and the world is up, or is not. */
  onHealth?(degraded: boolean): void
}

/** `list-egress-routes` in the words that a proposal takes: no secret's name, no `connect_to`, no `ca`. */
export function listRoutes(policy: EgressPolicy): CallResult {
  return { kind: "routes", text: printRoutesForAgent(policy) }
}

import { listRoutes, type SidecarCalls } from "../../../src/bottle/keeper/control/calls.ts"
import type { EgressPolicy } from "../../../src/policy/types.ts"

/** For a keeper that has no queue: the routes are told, everything else is refused. */
export function withoutQueue(policy: () => EgressPolicy): SidecarCalls {
  return {
    async onCall(_sidecar, request) {
      if (request.op === "list-egress-routes") return listRoutes(policy())
      return { kind: "refused", message: "No proposals are taken in this bottle. Tell the operator what you need." }
    },
  }
}

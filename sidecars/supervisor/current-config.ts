import { chmodSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { printAllowlist } from "../../src/policy/allowlist.ts"
import { printRouteTable } from "../../src/policy/route-text.ts"
import type { EgressPolicy } from "../../src/policy/types.ts"

/**
 * Write what the agent may read of its policy, for `/etc/bot-bottle/current-config`: no name of a secret, no place to
 * dial. Each file is replaced as a whole, so that nobody reads half of one. The folder is written by this process alone.
 */
export function writeCurrentConfig(folder: string, policy: EgressPolicy, dockerfile?: string): void {
  const files: Record<string, string> = {
    "routes.yaml": printRouteTable(policy.routes),
    allowlist: printAllowlist(policy.allowlist),
    ...(dockerfile === undefined ? {} : { Dockerfile: dockerfile }),
  }
  for (const [name, text] of Object.entries(files)) {
    const draft = join(folder, `.${name}.new`)
    writeFileSync(draft, text)
    // Of another user than the agent's, and behind a mask of its own.
    chmodSync(draft, 0o644)
    renameSync(draft, join(folder, name))
  }
}

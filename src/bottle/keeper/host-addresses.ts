import { networkInterfaces } from "node:os"

/** Every address of this machine: none may be reachable from inside. */
export function hostAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  return all.filter((entry) => !entry.internal).map((entry) => entry.address)
}

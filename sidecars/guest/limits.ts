import type { Libc } from "./libc.ts"

/** Limits of a process that its children inherit and cannot raise. Numbers of asm-generic/resource.h. */
const resources = { core: 4, nproc: 6, nofile: 7 } as const

export interface ProcessLimit {
  resource: keyof typeof resources
  value: number
}

/** Reads `nproc=256`. */
export function parseLimit(text: string): ProcessLimit {
  const [resource, value] = text.split("=")
  if (resource === undefined || !(resource in resources) || !/^\d+$/.test(value ?? "")) {
    throw new Error(`unknown limit ${text}`)
  }
  return { resource: resource as keyof typeof resources, value: Number(value) }
}

/** Set limits on this process, soft and hard; a core file is never written. Throws where the kernel refuses. */
export function limitSelf(limits: readonly ProcessLimit[], libc: Libc): void {
  for (const { resource, value } of [{ resource: "core", value: 0 } as const, ...limits]) {
    const result = libc.setLimit(resources[resource], value)
    if (result < 0) throw new Error(`limit ${resource}: errno ${-result}`)
  }
}

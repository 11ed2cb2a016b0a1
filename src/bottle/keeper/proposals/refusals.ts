import { join } from "node:path"
import { tailOf } from "./recorded.ts"
import type { Refusals } from "./wire.ts"

/** Bytes at the end of the egress log that are looked through. */
const looked = 4 * 1024 ** 2

/** How often the egress log of a bottle says that a host was refused, and what was tried last. Hosts are canonical. */
export function refusalsOf(stateDir: string, host: string): Refusals {
  const refusals: Refusals = { host, count: 0 }
  const matches = host.startsWith("*.")
    ? (name: string) => name.endsWith(host.slice(1))
    : (name: string) => name === host
  for (const line of tailOf(join(stateDir, "egress", "egress.jsonl"), looked).split("\n")) {
    if (!line.includes('"refused"')) continue
    const event = parse(line)
    if (event?.kind !== "refused" || typeof event.host !== "string" || !matches(event.host)) continue
    refusals.count += 1
    refusals.last = {
      time: text(event.time) ?? "",
      ...optional("method", text(event.method)),
      ...optional("path", text(event.path)),
      ...optional("reason", text(event.reason)),
    }
  }
  return refusals
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

function optional<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: string })
}

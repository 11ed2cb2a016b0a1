import { existsSync } from "node:fs"
import type { Leftover } from "../backend.ts"
import { findMarked, isAlive } from "./host-processes.ts"
import type { NamespaceRecord } from "./record.ts"

/** What this machine still has of a bottle: processes by number with start time or by marker, and control groups. */
export function leftHere(record: NamespaceRecord): Leftover[] {
  const known = [record.agent, record.sidecars].filter((mark) => mark !== null && isAlive(mark))
  const pids = new Set([...known, ...findMarked(record.marker)].map((mark) => mark?.pid))
  return [
    ...[...pids].map((pid): Leftover => ({ kind: "process", name: String(pid) })),
    ...record.cgroups.filter((path) => existsSync(path)).map((name): Leftover => ({ kind: "group", name })),
  ]
}

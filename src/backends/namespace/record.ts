import type { RuntimeRecord } from "../backend.ts"
import type { ProcessMark } from "./host-processes.ts"

/** How one limit of the bottle is held, or why it is not. */
export interface LimitReport {
  limit: string
  enforced: boolean
  detail: string
}

/** What `state/<slug>/runtime.json` holds for a namespace bottle. */
export interface NamespaceRecord extends RuntimeRecord {
  backend: "namespace"
  slug: string
  /** `starting` until both boundaries are there; such a bottle is removed, never adopted. */
  phase: "starting" | "running"
  runtimeDir: string
  marker: string
  agent: ProcessMark | null
  sidecars: ProcessMark | null
  cgroups: string[]
  limits: LimitReport[]
}

/** The record as ours, or undefined when it is another backend's or was damaged. */
export function parseRecord(record: RuntimeRecord): NamespaceRecord | undefined {
  const { slug, phase, runtimeDir, marker, cgroups, limits } = record
  if (record.backend !== "namespace" || (phase !== "starting" && phase !== "running")) return undefined
  if (typeof runtimeDir !== "string" || typeof marker !== "string" || marker === "") return undefined
  if (
    !Array.isArray(cgroups) ||
    !cgroups.every((path) => typeof path === "string" && path.endsWith(`/bot-bottle-${slug}`))
  )
    return undefined
  const agent = parseMark(record.agent)
  const sidecars = parseMark(record.sidecars)
  if (agent === undefined || sidecars === undefined) return undefined
  const reports = Array.isArray(limits) ? (limits as LimitReport[]) : []
  return { backend: "namespace", slug, phase, runtimeDir, marker, agent, sidecars, cgroups, limits: reports }
}

function parseMark(value: unknown): ProcessMark | null | undefined {
  if (value === null) return null
  if (typeof value !== "object" || value === undefined) return undefined
  const { pid, startTime, pidNamespace } = value as Partial<ProcessMark>
  if (!Number.isInteger(pid) || Number(pid) < 2) return undefined
  if (typeof startTime !== "string" || typeof pidNamespace !== "string") return undefined
  return { pid: Number(pid), startTime, pidNamespace }
}

import type { RuntimeRecord } from "../backend.ts"
import { parseEndpoint, type RecordedEndpoint, recordEndpoint } from "./reach/recorded-endpoint.ts"

/** A container by the engine's id, and the id of the image it was made from. */
export interface ContainerMark {
  id: string
  image: string
}

/** What `state/<slug>/runtime.json` holds for a docker bottle. */
export interface DockerRecord extends RuntimeRecord {
  backend: "docker"
  slug: string
  /** Which engine has it: whatever the environment says later, it is asked and no other. */
  engine: RecordedEndpoint
  /** `starting` until both containers run; such a bottle is removed, never adopted. */
  phase: "starting" | "running"
  agent: ContainerMark | null
  sidecars: ContainerMark | null
}

/** The record as ours, or undefined when it is another backend's or was damaged. */
export function parseRecord(record: RuntimeRecord): DockerRecord | undefined {
  const { slug, phase, engine } = record
  if (record.backend !== "docker" || typeof slug !== "string") return undefined
  if (phase !== "starting" && phase !== "running") return undefined
  const agent = parseMark(record.agent)
  const sidecars = parseMark(record.sidecars)
  const endpoint = parseEndpoint(engine)
  if (agent === undefined || sidecars === undefined || endpoint === undefined) return undefined
  return { backend: "docker", slug, engine: recordEndpoint(endpoint), phase, agent, sidecars }
}

function parseMark(value: unknown): ContainerMark | null | undefined {
  if (value === null) return null
  if (typeof value !== "object" || value === undefined) return undefined
  const { id, image } = value as Partial<ContainerMark>
  if (typeof id !== "string" || !/^[0-9a-f]{64}$/.test(id)) return undefined
  if (typeof image !== "string" || !/^sha256:[0-9a-f]{64}$/.test(image)) return undefined
  return { id, image }
}

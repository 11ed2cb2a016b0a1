import { isAbsolute } from "node:path"
import { type Endpoint, parseHost, type TlsFiles, writeHost } from "../endpoint.ts"

/** How a bottle's record says which engine has it: the address as text, so that reading it back is parsing it again. */
export interface RecordedEndpoint {
  host: string
  tls?: { ca?: string; cert?: string; key?: string }
  from: string
}

export function recordEndpoint(endpoint: Endpoint): RecordedEndpoint {
  const host = writeHost(endpoint)
  const { from } = endpoint
  if (endpoint.kind !== "tcp" || endpoint.tls === undefined) return { host, from }
  const files = Object.entries(endpoint.tls).filter(([, path]) => path !== undefined)
  return { host, tls: Object.fromEntries(files), from }
}

/** The recorded endpoint, or undefined when it was damaged. */
export function parseEndpoint(value: unknown): Endpoint | undefined {
  if (typeof value !== "object" || value === null) return undefined
  const { host, tls, from } = value as Record<string, unknown>
  if (typeof host !== "string" || typeof from !== "string") return undefined
  const files = tls === undefined ? undefined : parseTls(tls)
  if (tls !== undefined && files === undefined) return undefined
  try {
    return parseHost(host, files, from)
  } catch {
    return undefined
  }
}

function parseTls(value: unknown): TlsFiles | undefined {
  if (typeof value !== "object" || value === null) return undefined
  const { ca, cert, key } = value as Record<string, unknown>
  const isFile = (path: unknown): path is string | undefined =>
    path === undefined || (typeof path === "string" && isAbsolute(path))
  return isFile(ca) && isFile(cert) && isFile(key) ? { ca, cert, key } : undefined
}

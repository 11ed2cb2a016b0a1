import { foldSlashes } from "./path.ts"
import type { RequestFacts } from "./types.ts"

/** What a request does to a repository, as far as its head tells. */
export type GitUse = "fetch" | "push" | "other"

/**
 * What a request is in git's smart HTTP: reading a repository, writing one, or neither. A query that is not known, or
 * that names a service in any but the one plain spelling, counts as a push, because that is what it might be.
 */
export function classifyGit(request: Pick<RequestFacts, "method" | "path" | "query">): GitUse {
  const path = request.path
  if (!path.includes("git-") && !path.includes("info") && !/[A-Z;%]/.test(path)) return "other"
  // Letter case, path parameters, a slash at the end, escaped slashes: a server may not mind them.
  const loose = foldSlashes(path)
    .toLowerCase()
    .replace(/;[^/]*/g, "")
    .replace(/\/$/, "")
  const reads = request.method === "GET" || request.method === "HEAD"
  // A page about the command may be read; the service itself is only ever posted to.
  if (loose.endsWith("/git-receive-pack")) return reads ? "other" : "push"
  if (loose.endsWith("/info/refs")) return classifyDiscovery(request, reads)
  return request.method === "POST" && path.endsWith("/git-upload-pack") ? "fetch" : "other"
}

function classifyDiscovery(request: Pick<RequestFacts, "path" | "query">, reads: boolean): GitUse {
  const { query } = request
  if (query === "service=git-upload-pack") return reads && request.path.endsWith("/info/refs") ? "fetch" : "other"
  if (query === undefined) return "push"
  return /receive|%/i.test(query) ? "push" : "other"
}

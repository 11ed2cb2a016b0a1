const part = "[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*"
const domain =
  "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?"
const referencePattern = new RegExp(
  `^(?:(${domain})/)?(${part}(?:/${part})*)(?::(\\w[\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
)
const idPattern = /^(?:sha256:)?[0-9a-f]{64}$/

/**
 * The one spelling of an image's name: registry, path, tag and digest written out, so that `debian` and
 * `docker.io/library/debian:latest` are equal; an image's id with its `sha256:`. Undefined for what is no reference.
 */
export function canonicalReference(text: string): string | undefined {
  if (text.length > 400) return undefined
  if (idPattern.test(text)) return text.startsWith("sha256:") ? text : `sha256:${text}`
  const found = referencePattern.exec(text)
  if (found === null) return undefined
  const [, first, rest = "", tag, digest] = found
  // As the engine has it: what stands before the first slash is a registry only with a dot, a port or as localhost.
  const isRegistry = first !== undefined && (/[.:A-Z]/.test(first) || first === "localhost")
  const registry = !isRegistry || first === "index.docker.io" ? "docker.io" : first
  const path = isRegistry || first === undefined ? rest : `${first}/${rest}`
  if (path !== path.toLowerCase()) return undefined
  const full = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path
  const ending = digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`
  return `${registry}/${full}${ending}`
}

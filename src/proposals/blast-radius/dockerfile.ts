import { blastRadius } from "../../policy/dockerfile/check.ts"
import { parseDockerfile } from "../../policy/dockerfile/parse.ts"
import type { ParsedDockerfile } from "../../policy/dockerfile/types.ts"
import type { Finding } from "./index.ts"

/** Every FROM, ADD, COPY and RUN that today's Dockerfile has not: where an image comes from, and what is run to make it. */
export function dockerfileFindings(parsed: ParsedDockerfile, today: string): Finding[] {
  const current = parseDockerfile(today)
  const known = new Set(current.kind === "ok" ? blastRadius(current).map(({ name, text }) => `${name} ${text}`) : [])
  return blastRadius(parsed).flatMap(({ line, name, text }): Finding[] => {
    if (known.has(`${name} ${text}`)) return []
    const where = `line ${line}: ${name} ${text}`
    if (name === "FROM") return [{ kind: "from", weight: "caution", text: where }]
    if (name === "RUN") return [{ kind: "run", weight: "caution", text: where }]
    return [{ kind: "add", weight: "note", text: where }]
  })
}

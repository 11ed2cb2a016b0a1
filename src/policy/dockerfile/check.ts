import { canonicalReference } from "./reference.ts"
import type { BadDockerfile, CopySource, ParsedDockerfile } from "./types.ts"

/**
 * Whether a Dockerfile that an agent wrote may be built (SECURITY 24): every image that it starts from or copies from
 * is one of `allowedBases` (compared as the engine would read them), `scratch`, or a stage of its own; nothing is
 * fetched by the engine itself; and nothing is expected of a context, since there is none.
 */
export function checkDockerfile(
  parsed: ParsedDockerfile,
  allowedBases: readonly string[],
): { kind: "ok" } | BadDockerfile {
  const allowed = new Set(allowedBases.map((name) => canonicalReference(name) ?? name))
  for (const { line, source, what } of sourcesOf(parsed)) {
    const why = refuseSource(source, what, allowed)
    if (why !== undefined) return { kind: "bad", line, message: why }
  }
  return { kind: "ok" }
}

function sourcesOf({ stages, copies }: ParsedDockerfile): { line: number; what: string; source: CopySource }[] {
  return [
    ...stages.map(({ line, base }) => ({ line, what: "FROM", source: base })),
    ...copies.map(({ line, name, source }) => ({ line, what: name, source })),
  ].sort((a, b) => a.line - b.line)
}

function refuseSource(source: CopySource, what: string, allowed: ReadonlySet<string>): string | undefined {
  switch (source.kind) {
    case "scratch":
      return what === "FROM" ? undefined : "there is nothing to copy from scratch"
    case "stage":
      return undefined
    case "context":
      return `${what} takes a file of the build's context, and there is none`
    case "remote":
      return `ADD of ${source.text}: the engine itself would fetch it`
    case "image": {
      if (allowed.has(canonicalReference(source.reference) ?? "")) return undefined
      const bases = [...allowed].join(", ") || "none"
      return `${what} names ${source.reference}, which is not a declared base (${bases})`
    }
  }
}

/** The images that a Dockerfile names: what one that an agent writes in its place may start from (SECURITY 24). */
export function basesOf({ stages, copies }: ParsedDockerfile): string[] {
  const sources = [...stages.map(({ base }) => base), ...copies.map(({ source }) => source)]
  return [...new Set(sources.flatMap((source) => (source.kind === "image" ? [source.reference] : [])))]
}

export interface BlastLine {
  line: number
  name: "FROM" | "ADD" | "COPY" | "RUN"
  /** As written, continued lines joined. */
  text: string
}

/** Every instruction that brings something in or runs something, in order: what a decision about the file is about. */
export function blastRadius({ instructions }: ParsedDockerfile): BlastLine[] {
  return instructions.flatMap(({ line, name, text }) =>
    name === "FROM" || name === "ADD" || name === "COPY" || name === "RUN" ? [{ line, name, text }] : [],
  )
}

/**
 * The text with each image replaced by the id that it was looked up as, so that what is built is what was checked even
 * when a name is moved meanwhile, and nothing is pulled. Throws when an image has no id.
 */
export function pinBases(text: string, parsed: ParsedDockerfile, idOf: (reference: string) => string): string {
  const lines = text.split("\n")
  for (const { line, base, name } of parsed.stages) {
    if (base.kind === "image")
      replaceLine(lines, line, `FROM ${idOf(base.reference)}${name === undefined ? "" : ` AS ${name}`}`)
  }
  for (const { line, source } of parsed.copies) {
    if (source.kind !== "image") continue
    const id = idOf(source.reference)
    const written = parsed.instructions.find((each) => each.line === line)?.text ?? ""
    replaceLine(lines, line, `COPY ${written.replace(`--from=${source.reference}`, () => `--from=${id}`)}`)
  }
  return lines.join("\n")
}

/** Put one line in place of an instruction; the lines that it was continued on become empty, so that numbers stay. */
function replaceLine(lines: string[], line: number, by: string): void {
  let at = line - 1
  while (/^[ \t]*(?:#|$)|\\[ \t]*$/.test(lines[at] ?? "-")) lines[at++] = ""
  lines[at] = ""
  lines[line - 1] = by
}

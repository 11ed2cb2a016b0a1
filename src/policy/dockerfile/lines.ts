import type { BadDockerfile, DockerInstruction } from "./types.ts"

const mostBytes = 64 * 1024
const mostLines = 2_000

const known = new Set(
  ["ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"].concat([
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
  ]),
)

const bad = (line: number, message: string): BadDockerfile => ({ kind: "bad", line, message })

/**
 * The instructions of a Dockerfile, continued lines joined. Refused is whatever builders of different ages read
 * differently, or that makes another program read the file: a hidden FROM would be one that nobody was shown.
 */
export function readInstructions(text: string): { kind: "ok"; instructions: DockerInstruction[] } | BadDockerfile {
  if (new TextEncoder().encode(text).length > mostBytes) return bad(1, `it is longer than ${mostBytes / 1024} KiB`)
  const lines = text.split("\n")
  if (lines.length > mostLines) return bad(mostLines, `it has more than ${mostLines} lines`)
  for (const [index, line] of lines.entries()) {
    const why = refuseLine(line)
    if (why !== undefined) return bad(index + 1, why)
  }
  return joinLines(lines)
}

/** Characters that one reader takes for a blank, the end of a line or nothing, and another does not. */
function refuseLine(line: string): string | undefined {
  if (line.includes("\r")) return "it has a carriage return; lines end with a line feed alone"
  if (/[^\P{Cc}\t]/u.test(line)) return "it has a control character"
  if (/[^\P{White_Space} \t]/u.test(line)) return "it has a blank outside ASCII"
  if (/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cs}]/u.test(line)) return "it has an invisible character"
  if (/^[ \t]*#[ \t]*(?:syntax|escape|check)[ \t]*=/i.test(line)) return "parser directives are not taken"
  // Builders before 2023 continue such a line, later ones do not.
  if (/\\\\[ \t]*$/.test(line)) return "a line ends with two backslashes"
  return undefined
}

function joinLines(lines: readonly string[]): { kind: "ok"; instructions: DockerInstruction[] } | BadDockerfile {
  const instructions: DockerInstruction[] = []
  let open: { line: number; text: string } | undefined
  for (const [index, line] of lines.entries()) {
    // Also inside a continued instruction: every engine from 20.10 on leaves both out (tried).
    if (/^[ \t]*(?:#|$)/.test(line)) continue
    const continues = /\\[ \t]*$/.test(line)
    const part = continues ? line.replace(/\\[ \t]*$/, "") : line
    open = open === undefined ? { line: index + 1, text: part } : { line: open.line, text: open.text + part }
    if (continues) continue
    const read = readInstruction(open.line, open.text)
    if (read.kind === "bad") return read
    instructions.push(read.instruction)
    open = undefined
  }
  if (open !== undefined) return bad(open.line, "the last instruction is continued, and the file ends")
  return { kind: "ok", instructions }
}

function readInstruction(line: number, whole: string): { kind: "ok"; instruction: DockerInstruction } | BadDockerfile {
  const [, word = "", text = ""] = /^[ \t]*([^ \t]*)[ \t]*(.*?)[ \t]*$/.exec(whole) ?? []
  const name = word.toUpperCase()
  if (name === "ONBUILD") return bad(line, "ONBUILD is not taken: it acts in a build that nobody was shown")
  if (!/^[A-Za-z]+$/.test(word) || !known.has(name)) return bad(line, "it begins with no instruction that is known")
  if (/^(?:ADD|COPY|RUN)$/.test(name) && text.includes("<<")) return bad(line, "here-documents (<<) are not taken")
  if (text === "") return bad(line, `${name} says nothing`)
  return { kind: "ok", instruction: { line, name, text } }
}

import { readHostPattern } from "./host-pattern.ts"

/** A line of an allowlist that is no host. */
export interface AllowlistProblem {
  /** From 1. */
  line: number
  /** The end of a sentence. */
  why: string
}

export type ParsedAllowlist =
  | { kind: "allowlist"; hosts: readonly string[] }
  | { kind: "bad"; problems: readonly AllowlistProblem[] }

/** Bytes of a list, and hosts in it. More is a mistake or an attack. */
const most = { characters: 1024 * 1024, hosts: 10_000 }

const heading = "# Whole hosts that may be reached over https, one a line; *.example.com means its subdomains.\n"

/**
 * pipelock's allowlist as a file: one host a line, `#` begins a comment, blank lines count for nothing. Hosts come in
 * their one spelling and in the order written, each once.
 */
export function parseAllowlist(text: string): ParsedAllowlist {
  if (text.length > most.characters) return { kind: "bad", problems: [{ line: 1, why: "the list is too long" }] }
  const hosts = new Set<string>()
  const problems: AllowlistProblem[] = []
  for (const [index, raw] of text.split(/\r\n|\n/).entries()) {
    const written = raw.split("#", 1)[0]?.trim() ?? ""
    if (written === "") continue
    const why = refuseLine(written)
    if (why === undefined) hosts.add(hostOf(written))
    else problems.push({ line: index + 1, why })
  }
  if (hosts.size > most.hosts) problems.push({ line: 1, why: `more than ${most.hosts} hosts` })
  return problems.length > 0 ? { kind: "bad", problems } : { kind: "allowlist", hosts: [...hosts] }
}

/** The same list as a file, with a line that says what it is. */
export function printAllowlist(hosts: readonly string[]): string {
  return hosts.length === 0 ? heading : `${heading}${hosts.join("\n")}\n`
}

function refuseLine(written: string): string | undefined {
  if (/\s/.test(written)) return "one host a line"
  if (written.includes("://")) return "write the host alone, without https://"
  if (written.includes("/")) return "write the host alone: a path is not looked at"
  if (/^[^:[\]]+:\d+$/.test(written)) return "write the host alone: an allowlisted host is reached on port 443"
  const host = readHostPattern(written)
  return host.kind === "bad" ? host.why : undefined
}

function hostOf(written: string): string {
  const host = readHostPattern(written)
  return host.kind === "bad" ? written : host.value
}

import type { Bad } from "./host.ts"

export interface CanonicalPath {
  kind: "path"
  /** Decoded once; `%2F`, `%3F`, `%23` and `%25` stay escaped, so that the text has one reading. Rules see this. */
  path: string
  /** Without `?`, as received; "" when there is none. */
  query: string
  /** The whole request target to send: byte for byte what was received. */
  wire: string
  /** Its part before the query, for `joinTarget` when the query was changed. */
  wirePath: string
}

const maxPath = 8192
const malformedEscape = /%(?![0-9a-f]{2})/i
/** Escaped once more: dot, slash, percent, backslash, semicolon, control characters. */
const doubleEscape = /%25(?:2[e5f]|5c|3b|[01][0-9a-f]|7f)/i
const keptEscapes: Readonly<Record<string, string>> = { "/": "%2F", "?": "%3F", "#": "%23", "%": "%25" }

const bad = (why: string): Bad => ({ kind: "bad", why })

/**
 * Reads an origin-form request target. Nothing is repaired: a path that two servers could read as two different
 * resources (dot segments in any spelling, `//`, backslashes, control characters, double or broken escapes, bytes that
 * are not UTF-8) is refused, so what is sent is exactly what was judged and signatures over the path stay valid.
 * An escaped slash is kept (`/@scope%2Fname` of npm, GitLab's project ids); a pattern must then match both
 * readings (`foldSlashes`), so that `[^/]+` does not hide a slash.
 */
export function canonicalPath(rawTarget: string): CanonicalPath | Bad {
  if (!rawTarget.startsWith("/")) return bad("the target does not start with a slash")
  if (/[^\x21-\x7e]/.test(rawTarget)) return bad("the target holds a space, a control character or a raw byte")
  if (rawTarget.includes("#")) return bad("the target holds a fragment")
  const mark = rawTarget.indexOf("?")
  const wirePath = mark === -1 ? rawTarget : rawTarget.slice(0, mark)
  if (wirePath.length > maxPath) return bad(`the path is longer than ${maxPath} characters`)
  const path = decodeOnce(wirePath)
  if (typeof path !== "string") return path
  const why = findAmbiguity(path)
  if (why !== undefined) return bad(why)
  return { kind: "path", path, query: mark === -1 ? "" : rawTarget.slice(mark + 1), wire: rawTarget, wirePath }
}

function decodeOnce(wirePath: string): string | Bad {
  if (!wirePath.includes("%")) return wirePath
  if (malformedEscape.test(wirePath)) return bad("the path has a broken percent escape")
  try {
    const path = wirePath.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
      decodeURIComponent(run).replace(/[/?#%]/g, (char) => keptEscapes[char] ?? char),
    )
    return doubleEscape.test(path) ? bad("the path is escaped twice") : path
  } catch {
    return bad("the path's escapes are not UTF-8")
  }
}

/** Why a decoded path has more than one reading; nothing when it has one. */
export function findAmbiguity(path: string): string | undefined {
  const reading = foldSlashes(path)
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(reading)) return "the path holds a control character"
  // Some servers normalise: a full-width slash or a two-dot leader becomes the ASCII one.
  return findDotSegment(reading) ?? (/[^\x20-\x7e]/.test(reading) ? findDotSegment(normalise(reading)) : undefined)
}

function findDotSegment(reading: string): string | undefined {
  if (reading.includes("\\")) return "the path holds a backslash"
  if (reading.includes("//")) return "the path holds an empty segment (//)"
  // `..;x` is `..` for servers with path parameters, and some cut blanks at the end.
  if (/\/\s*\.{1,2}\s*(?:[;/]|$)/.test(reading)) return "the path holds a dot segment"
  return undefined
}

/** More slashes than before would be a second reading; they are made an empty segment, which is refused. */
function normalise(reading: string): string {
  const folded = reading.normalize("NFKC")
  return folded.split("/").length === reading.split("/").length ? folded : "//"
}

/** The other reading of a path with escaped slashes: as if they were slashes. The same string when there are none. */
export function foldSlashes(path: string): string {
  return path.includes("%2F") ? path.replaceAll("%2F", "/") : path
}

/** The request target for a path and a query that was changed; an empty query leaves no `?`. */
export function joinTarget(wirePath: string, query: string): string {
  return query === "" ? wirePath : `${wirePath}?${query}`
}

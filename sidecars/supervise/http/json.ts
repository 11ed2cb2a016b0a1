export type ParsedBody = { kind: "json"; value: unknown } | { kind: "bad"; why: string }

/**
 * A body as JSON. What nests too deep is refused before it is parsed, and so is a list of messages, which the protocol
 * no longer has.
 */
export function parseBody(bytes: Uint8Array, depth: number): ParsedBody {
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return { kind: "bad", why: "the body is not UTF-8" }
  }
  if (nestsDeeper(text, depth)) return { kind: "bad", why: `the body nests more than ${depth} levels deep` }
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return { kind: "bad", why: "several messages in one body are not taken" }
    return { kind: "json", value }
  } catch {
    return { kind: "bad", why: "the body is not JSON" }
  }
}

/** Counts brackets outside of strings. In what is no JSON the count may be wrong, and the parser refuses it then. */
function nestsDeeper(text: string, depth: number): boolean {
  let open = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (quoted) {
      if (char === "\\") at += 1
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === "[" || char === "{") {
      open += 1
      if (open > depth) return true
    } else if (char === "]" || char === "}") open -= 1
  }
  return false
}

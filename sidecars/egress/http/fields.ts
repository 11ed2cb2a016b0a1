import { BadMessage, type Header, type Headers } from "./head.ts"

/** All values of a field, in order. */
export function valuesOf(headers: Headers, name: string): string[] {
  const values: string[] = []
  for (const [key, value] of headers) if (key.length === name.length && key.toLowerCase() === name) values.push(value)
  return values
}

/** The one value of a field, `undefined` without it. Throws BadMessage when there are several. */
export function onlyValue(headers: Headers, name: string): string | undefined {
  const values = valuesOf(headers, name)
  if (values.length > 1) throw new BadMessage(`several ${name} fields`)
  return values[0]
}

/** The members of a comma-separated list field, in lower case. */
export function listMembers(headers: Headers, name: string): string[] {
  return valuesOf(headers, name)
    .flatMap((value) => value.split(","))
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== "")
}

const hopByHop = new Set(["connection", "keep-alive", "te", "transfer-encoding", "upgrade", "http2-settings"])
/** What decides framing, routing or credentials: may not be named by `Connection`, and may not come in trailers. */
const vital = new Set([
  ...["host", "content-length", "transfer-encoding", "content-encoding", "content-type", "content-range"],
  ...["authorization", "cookie", "set-cookie", "expect", "range", "trailer", "te", "upgrade", "connection"],
  ...["www-authenticate", "location", "cache-control", "max-forwards"],
])

/**
 * The fields that travel on: without those of this hop, those that `Connection` names, and everything `Proxy-`.
 * A `Connection` that names what decides framing, routing or credentials is a BadMessage, because dropping such a
 * field would change what was judged.
 */
export function endToEnd(headers: Headers): Header[] {
  const named = listMembers(headers, "connection")
  for (const name of named) {
    if (vital.has(name) && !hopByHop.has(name)) throw new BadMessage(`Connection names ${name}`)
  }
  return headers.filter(([key]) => {
    const name = key.toLowerCase()
    return !hopByHop.has(name) && !name.startsWith("proxy-") && !named.includes(name)
  })
}

/** Trailers that may travel on: nothing that belongs in a head. */
export function safeTrailers(trailers: Headers): Header[] {
  return trailers.filter(([key]) => {
    const name = key.toLowerCase()
    return !vital.has(name) && !hopByHop.has(name) && !name.startsWith("proxy-")
  })
}

/** A head, or with `first` empty a block of trailers, as bytes in latin1 text, with its closing empty line. */
export function serialise(first: string, headers: Headers): string {
  let text = first
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`
  return `${text}\r\n`
}

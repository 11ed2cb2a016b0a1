import type { ByteSource } from "./source.ts"

/** Header fields in wire order, names in the case they came in. */
export type Header = readonly [name: string, value: string]
export type Headers = readonly Header[]

export interface RequestHead {
  method: string
  /** As sent: origin-form, absolute-form, authority-form or `*`. */
  target: string
  /** HTTP/1.`minor`. */
  minor: 0 | 1
  headers: Headers
}

export interface ResponseHead {
  minor: 0 | 1
  status: number
  reason: string
  headers: Headers
}

/** A message that is not strictly HTTP/1.1. `status` is what the other side of a request is told. */
export class BadMessage extends Error {
  override readonly name = "BadMessage"
  readonly status: 400 | 431 | 505
  constructor(message: string, status: 400 | 431 | 505 = 400) {
    super(message)
    this.status = status
  }
}

const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/
const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/
const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/
const maxFields = 512

/**
 * Read the lines of a head up to its empty line. `null`: the stream ended before its first byte. Every line must end
 * in CR LF, which is checked as bytes arrive, so that a bare LF is answered and not waited on. `onFirst` is told
 * when the first byte is there.
 */
export async function readHeadLines(source: ByteSource, limit: number, onFirst?: () => void): Promise<string[] | null> {
  const lines: string[] = []
  let size = 0
  let rest: Buffer | undefined
  for (;;) {
    let chunk = source.take()
    if (chunk === undefined) chunk = await source.next()
    if (chunk === null) {
      if (lines.length === 0 && rest === undefined) return null
      throw new BadMessage("the head ended early")
    }
    onFirst?.()
    onFirst = undefined
    const bytes: Buffer = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    // What was already searched and found without an end of line is not searched again.
    let from = rest === undefined ? 0 : rest.length
    let start = 0
    for (;;) {
      const end = bytes.indexOf(10, from)
      if (end === -1) break
      if (end === start || bytes[end - 1] !== 13) throw new BadMessage("a line does not end in CR LF")
      size += end + 1 - start
      if (size > limit) throw new BadMessage("the head is too large", 431)
      if (end - 1 === start) {
        if (lines.length === 0) throw new BadMessage("an empty line before the head")
        source.putBack(bytes.subarray(end + 1))
        return lines
      }
      lines.push(bytes.toString("latin1", start, end - 1))
      start = end + 1
      from = start
    }
    rest = start === bytes.length ? undefined : bytes.subarray(start)
    if (size + (rest?.length ?? 0) > limit) throw new BadMessage("the head is too large", 431)
  }
}

/** Parse the lines of a request's head. Throws BadMessage on anything that two readers could read differently. */
export function parseRequestHead(lines: readonly string[]): RequestHead {
  const match = requestLine.exec(lines[0] ?? "")
  if (match === null) throw new BadMessage("the request line is malformed")
  const [, method = "", target = "", major, minor] = match
  if (major !== "1" || (minor !== "0" && minor !== "1")) throw new BadMessage("only HTTP/1.1 is spoken here", 505)
  return { method, target, minor: minor === "0" ? 0 : 1, headers: parseFields(lines, 1) }
}

/** Parse the lines of a response's head, as strictly. */
export function parseResponseHead(lines: readonly string[]): ResponseHead {
  const match = statusLine.exec(lines[0] ?? "")
  if (match === null) throw new BadMessage("the status line is malformed")
  const [, minor, status, reason = ""] = match
  return { minor: minor === "0" ? 0 : 1, status: Number(status), reason, headers: parseFields(lines, 1) }
}

/** Parse field lines from `start` on: of a head, or of trailers. */
export function parseFields(lines: readonly string[], start: number): Header[] {
  if (lines.length - start > maxFields) throw new BadMessage("too many header fields", 431)
  const headers: Header[] = []
  for (let at = start; at < lines.length; at++) {
    const match = fieldLine.exec(lines[at] ?? "")
    if (match === null) throw new BadMessage("a header field is malformed")
    const [, name = "", value = ""] = match
    headers.push([name, trimEnd(value)])
  }
  return headers
}

function trimEnd(value: string): string {
  const last = value.charCodeAt(value.length - 1)
  return last === 32 || last === 9 ? value.replace(/[ \t]+$/, "") : value
}

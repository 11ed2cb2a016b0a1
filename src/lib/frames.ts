/**
 * Frames of a session stream, the same between guest and keeper and between keeper and `attach`:
 * one byte of kind, four bytes of length (big-endian), then the payload.
 */
export const FrameKind = {
  /** Bytes to the process' stdin or pty, or from its stdout or pty. */
  data: 0,
  /** Bytes from stderr (only without a pty). */
  stderr: 1,
  /** JSON `{cols, rows}`. */
  resize: 2,
  /** JSON `{signal}`. */
  signal: 3,
  /** JSON `{code, signal}`: the process ended. Last frame of the guest. */
  exit: 4,
  /** No more input. */
  eof: 5,
  /** JSON, keeper to attach only: how the bottle was settled, or a notice. */
  note: 6,
} as const

export type FrameKindValue = (typeof FrameKind)[keyof typeof FrameKind]

/** Larger frames are a protocol error; senders split. */
export const maxFramePayload = 64 * 1024
const headerBytes = 5

export interface Frame {
  kind: number
  payload: Uint8Array
}

/** Encode one frame. Payloads over `maxFramePayload` throw a RangeError. */
export function encodeFrame(kind: FrameKindValue, payload: Uint8Array | string): Uint8Array {
  const body = typeof payload === "string" ? new TextEncoder().encode(payload) : payload
  if (body.length > maxFramePayload) throw new RangeError(`frame of ${body.length} bytes`)
  const frame = new Uint8Array(headerBytes + body.length)
  frame[0] = kind
  new DataView(frame.buffer).setUint32(1, body.length)
  frame.set(body, headerBytes)
  return frame
}

/** Encode bytes of any length as as many data frames as it takes. */
export function encodeChunks(kind: FrameKindValue, bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += maxFramePayload) {
    frames.push(encodeFrame(kind, bytes.subarray(at, at + maxFramePayload)))
  }
  return frames
}

/** Splits a byte stream into frames. `push` throws a RangeError on an oversized or unknown frame: close the stream. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0)

  push(chunk: Uint8Array): Frame[] {
    this.#pending = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk])
    const frames: Frame[] = []
    let at = 0
    while (this.#pending.length - at >= headerBytes) {
      const kind = this.#pending[at] ?? 0
      const length = this.#pending.readUInt32BE(at + 1)
      if (length > maxFramePayload || kind > FrameKind.note) throw new RangeError("malformed session frame")
      if (this.#pending.length - at < headerBytes + length) break
      frames.push({ kind, payload: this.#pending.subarray(at + headerBytes, at + headerBytes + length) })
      at += headerBytes + length
    }
    this.#pending = this.#pending.subarray(at)
    return frames
  }
}

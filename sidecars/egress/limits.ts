/** Bounds on what one bottle's clients may hold. Times in ms. Waiting for an answer, and its telling, has no limit. */
export interface Limits {
  /** Client connections at a time; more are closed at once. */
  connections: number
  /** From the first byte of a head to its end, and a small body that is read only to be dropped. */
  headTime: number
  /** From the answer to CONNECT to the end of the TLS handshake. */
  handshakeTime: number
  /** Without a request. */
  idleTime: number
  /** Between two pieces of a request's body, as long as no answer has begun. */
  uploadTime: number
  /** From our last byte to the client's. */
  closingTime: number
  /** Bytes of a request's head. */
  headBytes: number
  /** Bytes of a response's head. */
  responseHeadBytes: number
  connectTime: number
  resolveTime: number
}

export const defaultLimits: Limits = {
  connections: 1024,
  headTime: 30_000,
  handshakeTime: 15_000,
  idleTime: 300_000,
  uploadTime: 300_000,
  closingTime: 2_000,
  headBytes: 64 * 1024,
  responseHeadBytes: 256 * 1024,
  connectTime: 10_000,
  resolveTime: 10_000,
}

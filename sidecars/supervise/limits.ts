/** Bounds on what a bottle's agent can make this sidecar hold or pass on. Times in ms, sizes in bytes. */
export interface Limits {
  /** Connections at a time; more are answered with 503. A call that waits for the operator holds one. */
  connections: number
  headBytes: number
  /** A Dockerfile of 64 KiB with every character escaped in JSON fits. */
  bodyBytes: number
  /** Levels of lists and objects in a body. */
  depth: number
  /** From the first byte of a head to its end, and then to the body's end. */
  headTime: number
  bodyTime: number
  /** Without a request. */
  idleTime: number
  /** Between two signs of life in an answer that waits. */
  progressTime: number
  /** Proposals that may come at once, and how many come back a minute. */
  proposals: { burst: number; perMinute: number }
  /** The same for questions. */
  questions: { burst: number; perMinute: number }
}

export const defaultLimits: Limits = {
  connections: 64,
  headBytes: 16 * 1024,
  bodyBytes: 512 * 1024,
  depth: 32,
  headTime: 10_000,
  bodyTime: 20_000,
  idleTime: 120_000,
  progressTime: 15_000,
  proposals: { burst: 20, perMinute: 20 },
  questions: { burst: 120, perMinute: 240 },
}

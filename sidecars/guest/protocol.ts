/**
 * What the keeper says to the guest. A request is one line of JSON; a connection carries one after the other, until
 * `start` or `dial` turns it into a session of frames (`src/lib/frames.ts`). The guest is untrusted: the keeper checks
 * and bounds whatever it answers.
 */

export interface GuestFile {
  /** Absolute path inside; missing parents are made. */
  path: string
  /** e.g. 0o600 */
  mode: number
  content: string
  /** `content` is base64 of bytes that are no text. */
  base64?: true
}

export interface PtySize {
  cols: number
  rows: number
}

export type GuestRequest =
  /** Write files (CA bundle, provider files) as the agent's user. Answer: `{ok: true}`. */
  | { op: "files"; files: GuestFile[] }
  /**
   * Run the inside half of the fence proof; `kernel` says that another than Linux answers here. Answer: `{ok: true,
   * probes: Probe[]}`.
   */
  | { op: "prove"; hostAddresses: string[]; proxy: string; kernel?: "gvisor" }
  /**
   * Start a process and carry its session. With `pty` on a new pseudo-terminal made inside, else with pipes;
   * `stdin: false` gives it a closed stdin. When the connection ends the process group is ended: HUP, then KILL.
   * Answer: `{ok: true, pid}` and then frames, or `{ok: false, error}`.
   */
  | { op: "start"; argv: string[]; env: Record<string, string>; cwd: string; pty: PtySize | null; stdin: boolean }
  /**
   * Connect to a server on the loopback inside. Answer: `{ok: true}` and then frames, data and eof only, or
   * `{ok: false, error}`.
   */
  | { op: "dial"; port: number }
  /** Which processes of the agent live. Answer: `{ok: true, processes: number}`. */
  | { op: "status" }

export type GuestAnswer =
  | { ok: true; pid?: number; processes?: number; probes?: { name: string; ok: boolean; detail: string }[] }
  | { ok: false; error: string }

/** Inside paths, the same in every bottle and on every backend. */
export const inside = {
  /** tmpfs of our own, written by the guest before the agent starts. */
  run: "/run/bottle",
  binary: "/run/bottle/bottle",
  /** Directory of the sidecars' sockets: `<name>.sock`. Read-only. */
  sidecars: "/run/bottle/net",
  /** The guest's request socket. */
  guestSocket: "/run/bottle/guest/s",
  /** The bottle's CA, alone; also what the system bundle points at. */
  ca: "/run/bottle/ca.crt",
  /** What the agent may read of its policy. Read-only. */
  config: "/etc/bot-bottle/current-config",
} as const

/** Loopback ports of DESIGN §2, by the sidecar they lead to. */
export const ports = { egress: 9099, supervise: 9100 } as const

/** The four loopback ports that lead out, each to one sidecar (DESIGN §2). */
export const isReservedPort = (port: number): boolean => [9099, 9100, 9200, 9418].includes(port)

/** A name nobody can register, asked for by the fence proof: its refusal is expected and counts for nothing. */
export const fenceProofHost = "bot-bottle-fence.invalid"

import type { Duplex } from "node:stream"
import type { RunningBottle } from "../../../backends/backend.ts"
import { BottleError } from "../../../lib/errors.ts"
import { encodeFrame, FrameKind } from "../../../lib/frames.ts"
import { writeLine } from "../../../lib/lines.ts"
import type { LaunchMemory } from "../../plan-types.ts"
import type { KeeperAnswer, KeeperRequest, Settled } from "../protocol.ts"
import { runSession, type SessionEnd, type SessionWant } from "./session.ts"

type Ask<Op> = Extract<KeeperRequest, { op: Op }>

/** The one session of the agent's that a bottle has at a time, and the programs beside it. */
export class Attachment {
  readonly #cwd: string
  readonly #changed: () => void
  /** An agent runs and a client looks at it. */
  active = false
  /** Sessions of the agent that this keeper has seen. */
  count = 0
  /** A stream to the guest that is open already, for the first session. */
  first: (() => Duplex | undefined) | undefined
  #wentBefore = false

  /** `changed`: whether it is active may be another. */
  constructor(cwd: string, changed: () => void = () => undefined) {
    this.#cwd = cwd
    this.#changed = changed
  }

  /** There was a session under an earlier keeper, or before a resume: the next one goes on with it. */
  goOn(): void {
    this.#wentBefore = true
  }

  /** Run the agent for this client until either ends. Throws `BottleError` while another client has it. */
  async attach(
    bottle: RunningBottle,
    memory: LaunchMemory,
    request: Ask<"attach">,
    socket: Duplex,
    slug: string,
  ): Promise<SessionEnd> {
    if (this.active) {
      throw new BottleError(`${slug} already has a terminal`, {
        code: "attached",
        exit: "failed",
        hint: "close the other one, or look inside with: bottle exec",
      })
    }
    const again = this.#wentBefore || this.count > 0
    this.count += 1
    this.active = true
    this.#changed()
    try {
      const argv = again ? memory.resumeArgv : memory.argv
      return await this.#run(bottle, memory, request, socket, { argv, ...(again ? { fallback: memory.argv } : {}) })
    } finally {
      this.active = false
      this.#changed()
    }
  }

  /** Run one more program beside the agent. */
  async exec(bottle: RunningBottle, memory: LaunchMemory, request: Ask<"exec">, socket: Duplex): Promise<void> {
    await this.#run(bottle, memory, request, socket, { argv: request.argv })
    socket.end()
  }

  async #run(
    bottle: RunningBottle,
    memory: LaunchMemory,
    { pty, term, stdin }: Ask<"attach" | "exec">,
    socket: Duplex,
    what: Pick<SessionWant, "argv" | "fallback">,
  ): Promise<SessionEnd> {
    writeLine(socket, { ok: true } satisfies KeeperAnswer)
    const env = pty === null ? memory.env : { ...memory.env, TERM: term }
    try {
      return await runSession(socket, () => this.#connect(bottle), { ...what, env, cwd: this.#cwd, pty, stdin })
    } catch (error) {
      // The client reads frames by now.
      const said = `bottle: ${error instanceof Error ? error.message : String(error)}\n`
      if (socket.writable) socket.write(encodeFrame(FrameKind.stderr, said))
      return { code: 125, signal: null, byItself: false, byClient: false }
    }
  }

  async #connect(bottle: RunningBottle): Promise<Duplex> {
    const open = this.first?.()
    this.first = undefined
    return open ?? bottle.connectGuest()
  }
}

export function note(socket: Duplex, settled: Settled): void {
  if (socket.writable) socket.write(encodeFrame(FrameKind.note, JSON.stringify(settled)))
}

/** There is nothing to enter: the bottle is on its way up or down. */
export function notRunning(slug: string, doing: string): BottleError {
  return new BottleError(`${slug} is ${doing}`, { code: "not-running", exit: "failed", hint: `bottle resume ${slug}` })
}

import type { MeasureAnswer, MeasureRequest } from "../../../sidecars/control.ts"
import { LineReader } from "../../lib/lines.ts"
import type { DiskMeter, LaunchSpec, Measured } from "../backend.ts"
import { measuredTrees } from "./container/sidecars.ts"
import { type Engine, isAway } from "./engine.ts"
import { insideBin } from "./image/relocate.ts"
import { agentUser, places } from "./names.ts"
import { type ExecOrder, openExec, type ProgramStream } from "./program-stream.ts"
import type { RunningRecord } from "./running.ts"

/** Longest wait for one answer: a tree of millions of files is slow to walk; ms. */
const patience = 120_000

type OpenExec = (order: ExecOrder) => Promise<ProgramStream>

interface Program {
  stream: ProgramStream
  lines: AsyncGenerator<string, undefined>
}

/**
 * Measures a bottle's volumes by a program in the sidecars' container, which sees them read-only and where the agent
 * has no process: the number is not the agent's word. What the agent writes into its container itself counts as well.
 */
export class VolumeMeter implements DiskMeter {
  readonly #engine: Engine
  readonly #record: RunningRecord
  readonly #spec: LaunchSpec
  readonly #openBeside: OpenExec
  #program: Program | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** `openBeside` starts a program in the agent's container, which may be held still: then it rejects. */
  constructor(engine: Engine, record: RunningRecord, spec: LaunchSpec, openBeside: OpenExec) {
    this.#openBeside = openBeside
    this.#engine = engine
    this.#record = record
    this.#spec = spec
  }

  /** A program that ended, or an engine that is away for a moment, is asked again once. */
  async free(): Promise<number> {
    const { free } = await this.#ask("free").catch(() => this.#ask("free"))
    return free
  }

  async measure(): Promise<Measured> {
    try {
      const seen = await this.#measured()
      if (seen.complete) return seen
      await this.#openTrees()
      return await this.#measured()
    } catch (error) {
      // Nobody measures while the engine is away, and it is not the agent who made it so.
      if (isAway(error)) throw error
      return { bytes: 0, complete: false }
    }
  }

  async #measured(): Promise<Measured> {
    const [{ bytes = 0, complete = false }, layer] = await Promise.all([this.#ask("measure"), this.#layerBytes()])
    return { bytes: bytes + layer, complete }
  }

  /** Of files outside its volumes, in places that its image lets it write. */
  async #layerBytes(): Promise<number> {
    const { id } = this.#record.agent
    const options = { all: true, size: true, filters: { id: [id] } }
    const [info] = (await this.#engine.listContainers(options)) as { SizeRw?: number }[]
    return info?.SizeRw ?? 0
  }

  /** Directories that the agent closed to itself are opened where they can be written: by a program beside the agent. */
  async #openTrees(): Promise<void> {
    const { home, workspace } = this.#spec
    const argv = [`${insideBin}/bottle`, "sidecar", "--open-trees", home, workspace]
    const stream = await this.#openBeside({ container: this.#record.agent.id, user: agentUser, argv })
    await new Promise<void>((resolve) =>
      stream
        .on("close", resolve)
        .on("error", () => stream.destroy())
        .resume(),
    )
  }

  /** One question after the other. */
  #ask(request: MeasureRequest): Promise<MeasureAnswer> {
    const asked = this.#last.then(() => this.#askNow(request))
    this.#last = asked.catch(() => undefined)
    return asked
  }

  async #askNow(request: MeasureRequest): Promise<MeasureAnswer> {
    this.#program ??= await this.#start()
    const { stream, lines } = this.#program
    let timer: Timer | undefined
    try {
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error("measuring takes too long")), patience)
      })
      stream.write(`${request}\n`)
      const { value } = await Promise.race([lines.next(), late])
      if (value === undefined) throw new Error(stream.complaint || "the measuring program ended")
      return JSON.parse(value) as MeasureAnswer
    } catch (error) {
      this.#program = undefined
      stream.destroy()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async #start(): Promise<Program> {
    const argv = [`${insideBin}/bottle`, "sidecar", "--measure", "--"]
    const stream = await openExec(this.#engine, {
      container: this.#record.sidecars.id,
      user: agentUser,
      argv: [...argv, ...measuredTrees.map((role) => `${places.trees}/${role}`)],
    })
    return { stream, lines: linesOf(stream) }
  }
}

async function* linesOf(stream: ProgramStream): AsyncGenerator<string, undefined> {
  const reader = new LineReader()
  try {
    for await (const chunk of stream) yield* reader.push(chunk as Buffer)
  } catch {
    // Ended with an error instead of an end: either way nothing more comes.
  }
  return undefined
}

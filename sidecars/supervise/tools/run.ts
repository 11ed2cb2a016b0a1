import type { SuperviseSettings } from "../../control.ts"
import type { HostLink } from "../host-link.ts"
import type { Limits } from "../limits.ts"
import { Rate } from "../rate.ts"
import { type Tool, toolsFor } from "./definitions.ts"
import { type Outcome, outcomeOf, pending, refused, wordsOf } from "./outcome.ts"
import { proposalOf } from "./propose.ts"
import { checkSchema } from "./schema.ts"

export interface ToolDeps {
  link: HostLink
  settings: SuperviseSettings
  limits: Limits
  now(): number
  /** Told once for many: that a limit was reached. */
  onLimit(what: string): void
}

export interface Call {
  name: string
  /** As it came. */
  arguments: unknown
  /** Nobody waits for the answer any more. Withdraws nothing. */
  signal: AbortSignal
  /** A sign of life in words. */
  progress(message: string): void
}

/** Plain data: an answer in text, and the same as members where there is an outcome. */
export interface Answer {
  text: string
  outcome?: Outcome
  failed: boolean
}

const noId = "The host does not answer. It will be asked as soon as it does: call again with the same arguments then."

/** The tools of a bottle, without any protocol around them. */
export class ToolBox {
  readonly tools: readonly Tool[]
  readonly #deps: ToolDeps
  readonly #proposals: Rate
  readonly #questions: Rate

  constructor(deps: ToolDeps) {
    this.#deps = deps
    this.tools = toolsFor(deps.settings)
    this.#proposals = new Rate(deps.limits.proposals, deps.now)
    this.#questions = new Rate(deps.limits.questions, deps.now)
  }

  async run(call: Call): Promise<Answer> {
    const tool = this.tools.find(({ name }) => name === call.name)
    if (tool === undefined) {
      return { text: `There is no tool of this name; there are ${this.#names()}.`, failed: true }
    }
    const given = call.arguments ?? {}
    const wrong = checkSchema(given, tool.inputSchema, "arguments")
    if (wrong !== undefined) return answerOf(refused(wrong))
    return this.#act(tool, given as Record<string, unknown>, call)
  }

  #act({ name }: Tool, given: Record<string, unknown>, call: Call): Answer | Promise<Answer> {
    switch (name) {
      case "list-egress-routes":
        return this.#listRoutes(call)
      case "proposal-status":
        return this.#status(String(given.id), Number(given.wait_seconds ?? 0), call)
      default: {
        const proposal = proposalOf(name, given, this.#deps.settings.image)
        return "kind" in proposal ? answerOf(refused(proposal.message)) : this.#propose(proposal, call)
      }
    }
  }

  async #listRoutes(call: Call): Promise<Answer> {
    const limited = this.#limited(this.#questions, "questions")
    if (limited !== undefined) return limited
    const result = await this.#ask({ op: "list-egress-routes" }, call, this.#deps.limits.progressTime)
    if (result?.kind === "routes") return { text: result.text, failed: false }
    return answerOf(refused(result?.kind === "refused" ? result.message : "The host does not answer. Try again later."))
  }

  async #status(id: string, seconds: number, call: Call): Promise<Answer> {
    // An id is looked up by the host; what can be none is not passed on.
    if (!/^p[0-9a-z]{10}$/.test(id))
      return answerOf(refused(`There is no proposal ${JSON.stringify(id)} of this bottle.`))
    const limited = this.#limited(this.#questions, "questions")
    if (limited !== undefined) return limited
    const result = await this.#ask({ op: "proposal-status", id }, call, this.#deps.limits.progressTime)
    if (result?.kind === "decided") return answerOf(outcomeOf(result.response))
    if (result?.kind === "refused") return answerOf(refused(result.message))
    return this.#untilDecided(id, seconds, call)
  }

  async #propose(request: Parameters<HostLink["ask"]>[0], call: Call): Promise<Answer> {
    const limited = this.#limited(this.#proposals, "proposals")
    if (limited !== undefined) return limited
    const result = await this.#ask(request, call, this.#deps.settings.wait * 1000)
    if (result === undefined) return answerOf(refused(noId))
    if (result.kind === "refused") return answerOf(refused(result.message))
    if (result.kind === "decided") return answerOf(outcomeOf(result.response))
    if (result.kind === "routes") return answerOf(refused("The host gave no answer to this."))
    return this.#untilDecided(result.id, this.#deps.settings.wait, call)
  }

  /** Wait for the operator, with signs of life, at most so many seconds. */
  async #untilDecided(id: string, seconds: number, call: Call): Promise<Answer> {
    const waiting = AbortSignal.any([call.signal, AbortSignal.timeout(seconds * 1000)])
    if (seconds === 0) return answerOf(pending(id))
    const tell = () => call.progress(`proposal ${id} waits for the operator`)
    tell()
    const timer = setInterval(() => {
      tell()
      void this.#look(id, waiting)
    }, this.#deps.limits.progressTime)
    try {
      const response = await this.#deps.link.decision(id, waiting)
      return answerOf(response === undefined ? pending(id) : outcomeOf(response))
    } finally {
      clearInterval(timer)
    }
  }

  /** A decision that was told while no keeper, or another process of this sidecar, was there is found by asking. */
  async #look(id: string, signal: AbortSignal): Promise<void> {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(this.#deps.limits.progressTime)])
    const result = await this.#deps.link.ask({ op: "proposal-status", id }, soon).catch(() => undefined)
    if (result?.kind === "decided") this.#deps.link.decided(result.response)
  }

  /** The host's answer, or undefined when there is none in so many ms. */
  async #ask(request: Parameters<HostLink["ask"]>[0], call: Call, patience: number) {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(patience)])
    const timer = setInterval(() => call.progress("waiting for the host"), this.#deps.limits.progressTime)
    try {
      return await this.#deps.link.ask(request, signal).catch(() => undefined)
    } finally {
      clearInterval(timer)
    }
  }

  #limited(rate: Rate, what: string): Answer | undefined {
    const seconds = rate.take()
    if (seconds === 0) return undefined
    this.#deps.onLimit(what)
    return answerOf(
      refused(`Too many ${what} in a short time. Wait ${seconds} seconds, then ask for what matters most.`),
    )
  }

  #names(): string {
    return this.tools.map(({ name }) => name).join(", ")
  }
}

function answerOf(outcome: Outcome): Answer {
  return { text: wordsOf(outcome), outcome, failed: outcome.status === "refused" }
}

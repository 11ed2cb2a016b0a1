import type { Socket } from "node:net"
import type { Probe, RunningBottle } from "../../backends/backend.ts"
import { BottleError } from "../../lib/errors.ts"
import type { FileLock } from "../../lib/kernel.ts"
import { holdLogin } from "../login/hold-login.ts"
import type { LaunchMemory } from "../plan-types.ts"
import type { EndFacts } from "../settle.ts"
import { treePaths, workspaceMark } from "../workspace.ts"
import { bringUp } from "./bring-up.ts"
import { ControlLink } from "./control/control-link.ts"
import { keepLinked, partGone } from "./control/hold-on.ts"
import { Journal } from "./control/journal.ts"
import { SidecarBook } from "./control/sidecar-book.ts"
import { closeBottle, type EndDeps, endBottle } from "./ending/end.ts"
import { writeLastWords } from "./ending/last-words.ts"
import { holdReserve, whyUnwritable } from "./ending/reserve.ts"
import { Freezing } from "./freezing/freezing.ts"
import { hostAddresses } from "./host-addresses.ts"
import { holdLimits } from "./limits/hold-limits.ts"
import { Proposals } from "./proposals/proposals.ts"
import type { BottleState, KeeperAnswer, KeeperOrder, KeeperRequest, KeeperStatus, Settled } from "./protocol.ts"
import { RowFile } from "./row/row-file.ts"
import type { KeeperHandlers, KeeperServer } from "./server.ts"
import { Attachment, note, notRunning } from "./session/attachment.ts"
import { forwardConnection } from "./session/forward.ts"
import { holdOpen } from "./session/hold-open.ts"
import type { SessionEnd } from "./session/session.ts"

/** How long a headless bottle waits for its client to attach once whoever ordered it is gone, in ms. */
const attachPatience = 2_000
/** How long clients may take to read their last answer, and a supervisor to greet a new keeper, in ms. */
const [drainPatience, greetingPatience] = [2_000, 20_000]
/** How long after one of a guest's connections ended the others may live if the guest itself has ended, in ms. */
const hangUpPatience = 2_000

export interface KeeperDeps extends EndDeps {
  /** Called once, when nothing is left to keep. */
  done(): void
}

/**
 * The one host process of a running bottle (BEHAVIOUR 4): parent of what runs, owner of the control channel, the only
 * writer of this bottle's files, the one that settles. Commands are its clients.
 */
export class Keeper implements KeeperHandlers {
  readonly startedAt: Date
  readonly #calledOff = Promise.withResolvers<never>()
  /** Rejects when the launch is called off. */
  readonly cancelled = this.#calledOff.promise
  readonly #deps: KeeperDeps
  readonly #journal: Journal
  readonly #proposals: Proposals
  readonly #sidecars: SidecarBook
  readonly #attachment: Attachment
  readonly #row: RowFile
  readonly #freezing: Freezing
  readonly #finished = Promise.withResolvers<Settled>()
  readonly #hungUp = Promise.withResolvers<void>()
  #bottle: RunningBottle | undefined
  #link: ControlLink | undefined
  #memory: LaunchMemory | undefined
  #probes: Probe[] = []
  #state: BottleState = "starting"
  #settling: Promise<Settled> | undefined
  #lock: FileLock | undefined
  #server: KeeperServer | undefined
  #disarm: () => void = () => undefined

  constructor(deps: KeeperDeps, startedAt: Date = new Date()) {
    this.#deps = deps
    this.startedAt = startedAt
    this.#journal = new Journal(deps.state, (error) => void this.#close(whyUnwritable(error, deps.paths.home)))
    const stop = () => this.settle({ how: "stop", exitCode: 0 }, false)
    this.#proposals = new Proposals(deps, () => this.#link, stop)
    this.#sidecars = new SidecarBook(this.#journal, deps.state.egressLog(), this.#proposals)
    deps.audit.follow(this.#sidecars.refusals, (error) => void this.#close(whyUnwritable(error, deps.paths.home)))
    this.#row = new RowFile(deps.spec.runtimeDir, () => this.status())
    this.#sidecars.onChange = this.#row.changed
    this.#attachment = new Attachment(deps.spec.workspace, this.#row.changed)
    this.#freezing = new Freezing(deps, stop)
    this.cancelled.catch(() => undefined)
  }

  /** What is given up when this keeper is done. */
  owns(lock: FileLock): void {
    this.#lock = lock
  }

  serves(server: KeeperServer): void {
    this.#server = server
  }

  /** Bring a new bottle up. Throws what `bringUp` throws, with everything stopped again. */
  async launch(order: KeeperOrder, step: (text: string) => void): Promise<Probe[]> {
    const { backend, plan, state, spec } = this.#deps
    this.#memory = order.memory
    for (const tree of Object.values(treePaths)) await backend.ownTree(tree(spec.stateDir), plan.slug)
    const { bottle, link, probes, stream } = await bringUp(order, {
      backend,
      spec,
      hostAddresses,
      step,
      recorded: (record) => state.writeRecord(record),
      control: this.#sidecars,
      cancelled: this.cancelled,
    })
    // What they were needed for has them; this process lives as long as the bottle.
    order.secrets.slots = {}
    if (order.resume) this.#attachment.goOn()
    if (state.workspaceMark === undefined) {
      // A resumed bottle whose first launch was cut short: nobody knows what its workspace was.
      const workspace = treePaths.workspace(spec.stateDir)
      state.workspaceMark = order.resume ? "unknown" : await workspaceMark(backend, plan.slug, workspace)
    }
    await Promise.race([this.cancelled, Promise.resolve()]).catch(async (error: unknown) => {
      await bottle.stop()
      throw error
    })
    this.#attachment.first = holdOpen(stream)
    this.#keep(bottle, link, probes)
    if (order.resume) await this.#proposals.resume()
    return probes
  }

  /** Take over what a dead keeper left. Returns false when a part of it is gone (state `closed`). */
  async adopt(wasFreezing = false): Promise<boolean> {
    const { backend, state, spec } = this.#deps
    const record = state.record()
    const bottle = record && (await backend.adopt(record, spec))
    if (wasFreezing) await bottle?.letGo?.()
    if (bottle === undefined || !(await bottle.alive()).sidecars) return false
    const greeted = await Promise.race([
      bottle.connectControl().then((stream) => ControlLink.open(stream, this.#sidecars)),
      Bun.sleep(greetingPatience),
    ]).catch(() => undefined)
    if (!greeted?.hello.configured) return false
    this.#memory = greeted.hello.memory as LaunchMemory
    this.#sidecars.take(greeted.hello.sidecars)
    this.#attachment.goOn()
    this.#journal.log("sidecars", "keeper: took over a running bottle")
    this.#keep(bottle, greeted.link, state.probes)
    await this.#proposals.takeOver(greeted.hello).catch((error: unknown) => this.#close(`its policy: ${error}`))
    return this.#settling === undefined
  }

  status(): KeeperStatus {
    return {
      slug: this.#deps.plan.slug,
      state: this.#state === "idle" && this.#attachment.active ? "running" : this.#state,
      ...this.#sidecars.seen,
      probes: this.#probes,
      startedAt: this.startedAt.toISOString(),
      pid: process.pid,
    }
  }

  async answer(request: Exclude<KeeperRequest, { op: "attach" | "exec" | "forward" }>): Promise<KeeperAnswer> {
    if (request.op === "status") return { ok: true, status: this.status() }
    if (request.op === "freeze") return { ok: true, ...(await this.#freezing.freeze(this.#running().bottle)) }
    if (request.op !== "stop") return { ok: true, ...(this.#running() && (await this.#proposals.answer(request))) }
    if (this.#state !== "starting") {
      return { ok: true, settled: await this.settle({ how: "stop", exitCode: 0 }, request.how === "destroy") }
    }
    this.cancel("stopped before it was ready")
    return { ok: true, settled: await this.#finished.promise }
  }

  async session(request: Extract<KeeperRequest, { op: "attach" | "exec" | "forward" }>, socket: Socket): Promise<void> {
    const { bottle, memory } = this.#running()
    if (this.#freezing.active) throw this.#notRunning()
    const { slug, headless } = this.#deps.plan
    if (request.op === "forward") return forwardConnection(bottle, request.port, socket)
    if (request.op === "exec") return this.#attachment.exec(bottle, memory, request, socket)
    const end = await this.#attachment.attach(bottle, memory, request, socket, slug)
    // A guest that ended closes the bottle, which says better what happened.
    if (!end.byItself && !end.byClient) await Promise.race([this.#hungUp.promise, Bun.sleep(hangUpPatience)])
    const settled = this.#settleAfter(end, headless)
    if (settled !== undefined) note(socket, await settled)
    socket.end()
  }

  #running(): { bottle: RunningBottle; memory: LaunchMemory } {
    const [bottle, memory] = [this.#bottle, this.#memory]
    if (bottle === undefined || memory === undefined || this.#settling !== undefined) throw this.#notRunning()
    return { bottle, memory }
  }

  #notRunning(): BottleError {
    const doing = this.#settling ? "ending" : this.#freezing.active ? "being frozen" : this.#state
    return notRunning(this.#deps.plan.slug, doing)
  }

  /** How a session's end ends the bottle; undefined: it is idle and `attach` goes on. */
  #settleAfter(end: SessionEnd, headless: boolean): Promise<Settled> | undefined {
    if (this.#settling !== undefined) return this.#settling
    if (end.byItself) return this.settle({ how: "exit", exitCode: end.code }, false)
    if (!headless) return undefined
    const why = end.byClient ? "its client went away before the agent was done" : "the agent's session broke"
    return this.settle({ how: "cut", exitCode: 0, why }, false)
  }

  /** End the bottle once, whoever asks, and say what became of it. */
  settle(end: Pick<EndFacts, "how" | "exitCode" | "why">, destroy: boolean): Promise<Settled> {
    this.#settling ??= this.#end(() =>
      this.#freezing.orEnd(!destroy, () =>
        endBottle(this.#deps, { ...end, destroy, bottle: this.#bottle, refused: this.#sidecars.refused }),
      ),
    )
    return this.#settling
  }

  /** Call a launch off. */
  cancel(why: string): void {
    this.#calledOff.reject(new BottleError(why, { code: "cancelled", exit: "cancelled" }))
  }

  /** Whoever started a headless bottle is gone: without a client nobody would ever end it. */
  ordererGone(): void {
    if (!this.#deps.plan.headless) return
    setTimeout(() => {
      if (this.#attachment.active || this.#attachment.count > 0) return
      void this.settle({ how: "cut", exitCode: 0, why: "its client went away before the agent began" }, false)
    }, attachPatience)
  }

  /** Give up what this process holds, once clients have read what they are told. */
  async finish(settled: Settled): Promise<void> {
    this.#disarm()
    this.#finished.resolve(settled)
    this.#link?.close()
    await this.#deps.audit.close()
    const drained = Promise.all([this.#server?.drain(drainPatience), this.#proposals.lastNotice()])
    this.#lock?.release()
    await drained
  }

  #keep(bottle: RunningBottle, link: ControlLink, probes: Probe[]): void {
    this.#bottle = bottle
    this.#link = link
    this.#probes = probes
    this.#state = "idle"
    this.#row.changed()
    void this.#watch(bottle)
    const onLink = (again: ControlLink) => {
      this.#link = again
    }
    void keepLinked(bottle, link, { sidecars: this.#sidecars, isOver: () => this.#settling !== undefined, onLink })
    const limits = { ...this.#deps, bottle, startedAt: this.startedAt, onReached: (why: string) => this.#cut(why) }
    const holds = [holdLimits(limits), holdLogin(this.#deps, this.#sidecars, async (told) => this.#link?.send(told))]
    this.#disarm = () => void holds.map((letGo) => letGo())
    try {
      holdReserve(this.#deps.state.path)
    } catch (error) {
      void this.#close(whyUnwritable(error, this.#deps.paths.home))
    }
  }

  /** Without sidecars nothing leaves, without a guest nothing runs. */
  async #watch(bottle: RunningBottle): Promise<void> {
    const which = await partGone(bottle)
    void this.#close(`the ${which} ended on its own`)
    this.#hungUp.resolve()
  }

  #cut(why: string): void {
    this.#journal.log("teardown", why)
    void this.settle({ how: "cut", exitCode: 0, why }, false)
  }

  #close(reason: string): Promise<Settled> {
    if (this.#state === "starting") {
      this.#calledOff.reject(new Error(reason))
      return this.#finished.promise
    }
    this.#settling ??= this.#end(() => this.#freezing.orEnd(true, () => closeBottle(this.#deps, this.#bottle, reason)))
    return this.#settling
  }

  /** An end that cannot be written down closes the bottle; one that cannot even be closed is left for the next keeper. */
  async #end(how: () => Promise<Settled>): Promise<Settled> {
    const { paths, plan, state } = this.#deps
    // What the agent was refused, or asked for, with its last breath keeps the bottle too.
    await this.#link?.drain()
    await this.#proposals.rest()
    state.refused = this.#sidecars.refused
    const settled = await how()
      .catch((error: unknown) => {
        writeLastWords(paths.logs, plan.slug, error)
        return closeBottle(this.#deps, this.#bottle, whyUnwritable(error, paths.home))
      })
      .catch((error: unknown): Settled => {
        writeLastWords(paths.logs, plan.slug, error)
        return { kept: true, reasons: [whyUnwritable(error, paths.home)], warnings: [] }
      })
    this.#state = settled.kept ? "stopped" : this.#state
    setTimeout(() => void this.finish(settled).finally(() => this.#deps.done()), 0)
    return settled
  }
}

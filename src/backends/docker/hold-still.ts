import type { Engine } from "./engine.ts"

/**
 * Pauses a container. An engine whose container is frozen while a program is being started in it stands still for good
 * (20.10): whoever starts one says so, is waited for, and starts none meanwhile.
 */
export class HoldStill {
  readonly #starting = new Set<Promise<unknown>>()
  #held = false

  /** Start something inside. Rejects while the container is held. */
  async start<T>(act: () => Promise<T>): Promise<T> {
    if (this.#held) throw new Error("it is being frozen")
    const started = act()
    this.#starting.add(started)
    return started.finally(() => this.#starting.delete(started))
  }

  async hold(engine: Engine, id: string): Promise<void> {
    this.#held = true
    try {
      await Promise.allSettled(this.#starting)
      await engine.getContainer(id).pause()
    } catch (error) {
      this.#held = false
      throw error
    }
  }

  async letGo(engine: Engine, id: string): Promise<void> {
    const { State } = await engine.getContainer(id).inspect()
    if (State.Paused) await engine.getContainer(id).unpause()
    this.#held = false
  }
}

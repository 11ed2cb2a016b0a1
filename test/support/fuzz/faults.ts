/** What can go wrong at a call. `hang` only where the caller waits. */
export type FaultKind = "error" | "not an error" | "memory" | "stack" | "hang"

/** One call of one part of a system. */
export interface FaultPlace {
  point: string
  /** Which call of it, from 1. */
  nth: number
  waits: boolean
}

/**
 * Sees every call that goes through the parts it wraps, and lets one of them fail. Parts are wrapped from outside, as
 * injected dependencies: nothing in the product knows of it.
 */
export class Faults {
  readonly places: FaultPlace[] = []
  fired = false
  readonly #counts = new Map<string, number>()
  #armed: { place: FaultPlace; kind: FaultKind } | undefined

  /** Count anew, and fail at this place. */
  arm(place?: FaultPlace, kind?: FaultKind): void {
    this.#counts.clear()
    this.places.length = 0
    this.fired = false
    this.#armed = place === undefined || kind === undefined ? undefined : { place, kind }
  }

  /** The same function, of which any call may fail. */
  call<A extends unknown[], R>(point: string, act: (...args: A) => R, waits = false): (...args: A) => R {
    return (...args) => {
      this.#meet(point, waits)
      if (this.#armed?.kind === "hang" && this.#isHere(point)) {
        this.fired = true
        return new Promise(() => {}) as R
      }
      return act(...args)
    }
  }

  /** The same object: any call of its methods and any reading of the named properties may fail. */
  part<T extends object>(point: string, whole: T, read: readonly (keyof T & string)[] = []): T {
    const wrapped = new Map<PropertyKey, unknown>()
    return new Proxy(whole, {
      get: (target, key) => {
        // Bound to the object itself, which may have private parts.
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value === "function") {
          if (!wrapped.has(key)) wrapped.set(key, this.call(`${point}.${String(key)}`, value.bind(target)))
          return wrapped.get(key)
        }
        if (read.includes(key as keyof T & string)) this.#meet(`${point}.${String(key)}`, false)
        return value
      },
      set: (target, key, value) => Reflect.set(target, key, value, target),
    })
  }

  #meet(point: string, waits: boolean): void {
    const nth = (this.#counts.get(point) ?? 0) + 1
    this.#counts.set(point, nth)
    this.places.push({ point, nth, waits })
    if (!this.#isHere(point) || this.#armed?.kind === "hang") return
    this.fired = true
    throw faultOf(this.#armed?.kind)
  }

  #isHere(point: string): boolean {
    return this.#armed?.place.point === point && this.#counts.get(point) === this.#armed.place.nth
  }
}

function faultOf(kind: FaultKind | undefined): unknown {
  if (kind === "memory") return new RangeError("Out of memory")
  if (kind === "stack") return new RangeError("Maximum call stack size exceeded.")
  return kind === "not an error" ? undefined : new Error("injected")
}

/** Each place once with each kind that fits it. */
export function faultsAt(places: readonly FaultPlace[]): [FaultPlace, FaultKind][] {
  const kinds: FaultKind[] = ["error", "not an error", "memory", "stack"]
  return places
    .flatMap((place) => [...kinds, ...(place.waits ? (["hang"] as const) : [])].map((kind) => [place, kind] as const))
    .map(([place, kind]) => [place, kind])
}

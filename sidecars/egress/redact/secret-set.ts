import { encodingsOf } from "./patterns.ts"
import { redactText } from "./redactor.ts"
import { createScanner, type Scanner } from "./scanner.ts"

/**
 * The slots' values in force, and everything that must never be shown: those values and all that came before them,
 * because a rotated secret may still work and may still be echoed (SECURITY 14).
 */
export class SecretSet {
  #current: Map<string, string>
  readonly #everSeen = new Set<string>()
  #scanner: Scanner | undefined

  constructor(secrets: Readonly<Record<string, string>>) {
    this.#current = new Map()
    this.update(secrets)
  }

  /** The value of a slot; `undefined` when there is none, or it is empty. */
  valueOf(slot: string): string | undefined {
    return this.#current.get(slot) || undefined
  }

  get scanner(): Scanner | undefined {
    return this.#scanner
  }

  /** Set the given slots; the others keep their values. */
  update(secrets: Readonly<Record<string, string>>): void {
    this.#current = new Map([...this.#current, ...Object.entries(secrets)])
    for (const value of Object.values(secrets)) this.#everSeen.add(value)
    this.#scanner = createScanner(encodingsOf(this.#everSeen))
  }

  /** The same value with every secret in its strings starred out. Keys are our own words and stay. */
  mask<T>(value: T): T {
    if (this.#scanner === undefined) return value
    if (typeof value === "string") return redactText(this.#scanner, value, "utf8") as T
    if (Array.isArray(value)) return value.map((item) => this.mask(item)) as T
    if (typeof value !== "object" || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.mask(item)])) as T
  }
}

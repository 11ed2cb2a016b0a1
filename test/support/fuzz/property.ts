import { Random } from "../tls/random.ts"

/** Something that holds for every input; an input is what a seed makes of the generator. */
export interface Property {
  name: string
  /** Throws when it does not hold. Says whether the input was taken, so that a run that takes nothing can be seen. */
  check(random: Random): boolean | Promise<boolean>
  /** Seeds that once failed: tried first in every run. */
  kept?: readonly number[]
  /** Inputs of a short run; less for what is slow. */
  short?: number
}

/** Try the kept seeds and then `count` more. Resolves with how many inputs were taken; throws naming the seed. */
export async function tryProperty({ name, check, kept = [] }: Property, count: number): Promise<number> {
  let taken = 0
  for (let at = -kept.length; at < count; at++) {
    const seed = at < 0 ? (kept[at + kept.length] ?? 0) : at
    try {
      const result = check(new Random(seed))
      if (typeof result === "boolean" ? result : await result) taken++
    } catch (error) {
      throw new Error(`${name}: seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
  }
  return taken
}

/** Fails the property with both sides quoted. */
export function expectSame(what: string, got: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)]
  if (left !== right) throw new Error(`${what}: got ${left}, wanted ${right}`)
}

export function expectTrue(what: string, condition: boolean): void {
  if (!condition) throw new Error(what)
}

/** A text with a few pieces put in, taken out or doubled. */
export function mutate(random: Random, text: string, spices: readonly string[], most = 4): string {
  let out = text
  for (let change = random.below(most + 1); change > 0; change--) {
    const at = random.below(out.length + 1)
    const gone = random.below(3) === 0 ? random.below(6) : 0
    const piece = random.below(5) === 0 ? out.slice(at, at + random.below(12)) : random.pick(spices)
    out = out.slice(0, at) + piece + out.slice(at + gone)
  }
  return out
}

/** `count` pieces one after the other. */
export function join(random: Random, pieces: readonly string[], most: number): string {
  return Array.from({ length: random.below(most + 1) }, () => random.pick(pieces)).join("")
}

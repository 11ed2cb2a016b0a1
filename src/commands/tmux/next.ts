import type { KeyPress } from "./by-key.ts"
import { onSurface } from "./on-surface.ts"

/** The proposals that wait, one at a time, on the surface that the operator chose. */
export function runNext(press: KeyPress): Promise<void> {
  return onSurface(press, "bottle: proposals", ["review"])
}

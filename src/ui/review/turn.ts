import type { Review, Step } from "./model.ts"

/** Drawn anew: the keys have to wait again. */
export const anew = (review: Review): Review => ({ ...review, armed: false, epoch: review.epoch + 1 })

/** Show another proposal, from its top. */
export function turnTo(review: Review, at: string | undefined): Step {
  const turned = anew({ ...review, at, shown: undefined, mode: { kind: "look" }, scroll: 0, seen: 0 })
  return { review: turned, effects: at === undefined ? [] : [{ kind: "load", id: at, save: false }] }
}

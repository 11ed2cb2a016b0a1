import type { StartWish } from "../../bottle/plan-types.ts"

/** What follows `bottle start` for a wish that has been agreed to. A value that begins with a hyphen stays a value. */
export function startArgv(wish: StartWish): string[] {
  const flag = (name: string, value: string | undefined) => (value === undefined ? [] : [`--${name}=${value}`])
  return [
    ...(wish.agent === undefined ? [] : [wish.agent]),
    ...wish.bottles.flatMap((name) => flag("bottle", name)),
    ...flag("label", wish.label),
    ...flag("color", wish.color),
    ...flag("backend", wish.backend),
    ...flag("first", wish.prompt),
    ...(wish.copyCwd ? ["--cwd"] : []),
    "--yes",
  ]
}

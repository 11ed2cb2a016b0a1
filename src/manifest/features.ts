/**
 * Keys that are read and checked but whose feature this build does not have. Written with a value that would do
 * something, such a key stops `start` (BEHAVIOUR 2); a value that asks for nothing is inert. A feature that is built
 * loses its line here.
 */
export const unbuiltFeatures: readonly UnbuiltFeature[] = [
  { manifest: "bottle", path: ["egress", "routes", "*", "dlp"], asks: isFilled },
  { manifest: "bottle", path: ["pipelock", "dlp"], asks: isFilled },
  { manifest: "bottle", path: ["git-gate", "repos"], asks: isFilled },
  { manifest: "settings", path: ["notify"], asks: isFilled },
]

export interface UnbuiltFeature {
  manifest: "agent" | "bottle" | "settings"
  /** `*` stands for every entry of a list. */
  path: readonly string[]
  /** Whether the written value asks for the feature. */
  asks(value: unknown): boolean
}

/** Paths of the keys in `data` that ask for a feature that is not there. */
export function findUnbuilt(manifest: UnbuiltFeature["manifest"], data: unknown): PropertyKey[][] {
  return unbuiltFeatures
    .filter((feature) => feature.manifest === manifest)
    .flatMap((feature) => findWritten(data, feature.path, []).filter(({ value }) => feature.asks(value)))
    .map(({ path }) => path)
}

function findWritten(
  value: unknown,
  [step, ...rest]: readonly string[],
  path: PropertyKey[],
): { path: PropertyKey[]; value: unknown }[] {
  if (step === undefined) return [{ path, value }]
  if (step === "*") {
    return Array.isArray(value) ? value.flatMap((item, index) => findWritten(item, rest, [...path, index])) : []
  }
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return []
  return findWritten((value as Record<string, unknown>)[step], rest, [...path, step])
}

function isFilled(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0
  return value !== undefined && value !== null && value !== ""
}

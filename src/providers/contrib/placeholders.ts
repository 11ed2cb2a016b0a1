/** What a description may leave open. Nothing else in it is ever replaced. */
export const placeholderNames = ["prompt", "home", "workspace", "system_prompt_file", "ca", "supervise_url"] as const
export type PlaceholderName = (typeof placeholderNames)[number]

const shape = /\{([a-z][a-z0-9_]*)\}/g

/** The first placeholder of a text that is none of `allowed`, as it was written. */
export function findUnknown(text: string, allowed: readonly PlaceholderName[]): string | undefined {
  for (const [written, name] of text.matchAll(shape)) {
    if (!allowed.some((each) => each === name)) return written
  }
  return undefined
}

export type PlaceholderValues = Readonly<Partial<Record<PlaceholderName, string>>>

/** Fill in each placeholder that has a value, once: a value that looks like a placeholder stays as it is. */
export function fill(text: string, values: PlaceholderValues): string {
  return text.replace(shape, (written, name: string) => {
    const known = placeholderNames.find((each) => each === name)
    return (known === undefined ? undefined : values[known]) ?? written
  })
}

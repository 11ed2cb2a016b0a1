/** Names of agents and bottles: also file names, so nothing that a path could be made of. */
export const namePattern = /^[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){0,63}$/

export const nameRule = "expected a name: small letters, digits, - _ and single dots"

/** Whether `name` can name an agent or bottle. */
export function isName(name: string): boolean {
  return namePattern.test(name)
}

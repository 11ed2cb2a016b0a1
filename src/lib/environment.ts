/**
 * Variables that make a compiled Bun program run other code or trust anybody: they are taken out at start-up so
 * that no child gets them (FACTS 1, 17).
 */
const neverInherited = ["BUN_OPTIONS", "BUN_BE_BUN", "NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED"]

/**
 * Clean this process' own environment in place and return the names that were removed. Also makes any non-empty
 * `NO_COLOR` read as `1`, the only value that some libraries know.
 */
export function scrubEnvironment(env: Record<string, string | undefined>): string[] {
  const removed = neverInherited.filter((name) => env[name] !== undefined)
  for (const name of removed) delete env[name]
  if (env.NO_COLOR) env.NO_COLOR = "1"
  return removed
}

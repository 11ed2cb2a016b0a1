/** How long a test waits for what must come, in milliseconds: a bound for what hangs, not a measure of speed. */
const patience = 120_000

/** Wait until `look` gives a value that is not undefined, null or false; throws with `what` after `limit` milliseconds. */
export async function waitFor<T>(what: string, look: () => T | Promise<T>, limit = patience): Promise<NonNullable<T>> {
  const end = performance.now() + limit
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== null && seen !== false) return seen
    if (performance.now() > end) throw new Error(`waited ${limit} ms for ${what}`)
    await Bun.sleep(10)
  }
}

/** A file of tests and the suite that it counts for. */
export interface TestFile {
  suite: string
  /** Below the root, or a folder that is run at once. */
  path: string
}

/** The file that is begun next, given what runs; undefined while none may begin. It leaves the queue. */
export function takeNext(queue: TestFile[], running: readonly TestFile[]): TestFile | undefined {
  const engineBusy = running.some(({ path }) => hasEngine(path))
  const first = engineBusy ? -1 : queue.findIndex(({ path }) => hasEngine(path))
  const at = first >= 0 ? first : queue.findIndex(({ path }) => !hasEngine(path))
  return at < 0 ? undefined : queue.splice(at, 1)[0]
}

/** By suite and name, but what takes minutes after the many, so that little time tells much. */
export function inOrder(files: readonly TestFile[]): TestFile[] {
  const rank = ({ path }: TestFile) => (/breakout|guards|kill-/.test(path) ? 1 : 0)
  return [...files].sort((one, other) => rank(one) - rank(other))
}

/** One engine is enough work for a machine, and two may choose the same addresses. */
function hasEngine(path: string): boolean {
  return /docker|scale|full-disk/.test(path)
}

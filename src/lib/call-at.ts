/** The longest that a timer can be set for, in ms: more fires at once. */
const longestTimer = 2 ** 31 - 1

/** Call at a time, in ms since the epoch, however far away; at once when it has passed. Returns how to call it off. */
export function callAt(time: number, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const arm = () => {
    const left = time - Date.now()
    if (left <= 0) timer = setTimeout(act, 0)
    else timer = setTimeout(arm, Math.min(left, longestTimer))
  }
  arm()
  return () => clearTimeout(timer)
}

import { LineReader } from "../../lib/lines.ts"

/** Whoever started this keeper: gives one order on our stdin and stays while it is carried out. */
export interface Orderer {
  /** The first line. Rejects when there is none. */
  readonly order: Promise<string>
  /** Called when its end of our stdin closes, at once if it has already. The last listener given hears it. */
  onGone(listener: () => void): void
}

/** Listen to stdin. Bun's own stream: node's would cost a third of the keeper's start (src/lib/stdio.ts). */
export function listenToOrderer(): Orderer {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let gone = false
  let heard = () => {}
  const listen = async () => {
    const reader = new LineReader()
    for await (const chunk of Bun.stdin.stream()) {
      for (const line of reader.push(chunk)) resolve(line)
    }
  }
  const end = () => {
    reject(new Error("no order came"))
    gone = true
    heard()
  }
  promise.catch(() => undefined)
  void listen().then(end, end)
  return {
    order: promise,
    onGone(listener) {
      heard = listener
      if (gone) listener()
    },
  }
}

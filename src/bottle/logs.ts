import { closeSync, existsSync, openSync, readSync, watch } from "node:fs"
import { join } from "node:path"
import { LineReader } from "../lib/lines.ts"
import type { Paths } from "../lib/paths.ts"
import { unknownSlug } from "./client.ts"

const files = {
  bringup: "bringup.log",
  sidecars: "sidecars.log",
  egress: "egress/egress.jsonl",
  teardown: "teardown.log",
} as const
export type LogSource = keyof typeof files

export interface LogLine {
  source: LogSource
  line: string
}

/** A watcher may miss a write on some file systems: look again after this, in ms. */
const rescan = 2_000

/**
 * Lines of a bottle's logs: from its state while there is one, else from what was kept at its end. With `follow`
 * it goes on until the state is gone. Throws `BottleError` (exit 5) for a slug that left neither.
 */
export async function* readLogs(
  paths: Paths,
  slug: string,
  only: LogSource | undefined,
  follow: boolean,
): AsyncGenerator<LogLine> {
  const live = paths.state(slug)
  const root = existsSync(live) ? live : join(paths.logs, slug)
  if (!existsSync(root)) throw unknownSlug(slug)
  const tails = (Object.keys(files) as LogSource[])
    .filter((source) => only === undefined || source === only)
    .map((source) => new Tail(source, join(root, files[source])))
  for (;;) {
    for (const tail of tails) yield* tail.more()
    if (!follow || root !== live || !existsSync(live)) return
    await change(live)
  }
}

/** Reads what a growing file gained since last time. */
class Tail {
  readonly #source: LogSource
  readonly #path: string
  readonly #lines = new LineReader()
  #offset = 0

  constructor(source: LogSource, path: string) {
    this.#source = source
    this.#path = path
  }

  *more(): Generator<LogLine> {
    if (!existsSync(this.#path)) return
    const file = openSync(this.#path, "r")
    try {
      const chunk = Buffer.alloc(64 * 1024)
      for (let got = readSync(file, chunk, 0, chunk.length, this.#offset); got > 0; ) {
        this.#offset += got
        for (const line of this.#lines.push(chunk.subarray(0, got))) yield { source: this.#source, line }
        got = readSync(file, chunk, 0, chunk.length, this.#offset)
      }
    } finally {
      closeSync(file)
    }
  }
}

function change(directory: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, rescan)
    const watcher = watch(directory, { recursive: false }, done)
    const egress = existsSync(join(directory, "egress")) ? watch(join(directory, "egress"), done) : undefined
    watcher.on("error", done)
    function done() {
      clearTimeout(timer)
      watcher.close()
      egress?.close()
      resolve()
    }
  })
}

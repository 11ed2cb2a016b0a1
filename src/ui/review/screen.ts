import { writeAll } from "../../lib/stdio.ts"
import type { Row } from "./draw.ts"
import { type Key, readKeys } from "./keys.ts"
import type { Size } from "./model.ts"

/** A terminal taken as a whole: rows go out, keys come in. */
export interface Screen {
  size(): Size
  /** Write what changed since the last time. */
  draw(rows: readonly Row[]): void
  /** Give the terminal to another program, and take it again. */
  lend<T>(work: () => Promise<T>): Promise<T>
  close(): void
}

export interface ScreenEvents {
  onKey(key: Key): void
  onSize(size: Size): void
}

const open = "\x1b[?1049h\x1b[?25l\x1b[2J"
/** What gives the terminal back; also for whoever has to do so when this process was killed. */
export const leaveScreen = "\x1b[0m\x1b[?25h\x1b[?1049l"

const colors: Readonly<Record<Row["style"], string>> = {
  plain: "",
  head: "1",
  add: "1;32",
  danger: "1;31",
  caution: "33",
  faint: "2",
  gone: "31",
  title: "7;1",
  message: "1",
  good: "1;32",
  bad: "1;31",
  keys: "2",
}
/** Without colours what matters is bold or inverse; marks and words say the rest. */
const plain: Readonly<Record<string, string>> = {
  ...{ head: "1", add: "7", danger: "1", good: "1", bad: "1", message: "1", title: "7" },
}

/** Take the terminal of this process. `input` is opened here: raw mode needs it as a stream. */
export function openScreen(input: NodeJS.ReadStream, colored: boolean, events: ScreenEvents): Screen {
  let before: string[] = []
  let lent = false
  const size = () => ({ rows: process.stdout.rows || 24, columns: process.stdout.columns || 80 })
  const onData = (bytes: Buffer) => {
    for (const key of readKeys(bytes.toString("utf8"))) events.onKey(key)
  }
  const onResize = () => {
    before = []
    writeAll(1, "\x1b[2J")
    events.onSize(size())
  }
  const take = () => {
    before = []
    writeAll(1, open)
    input.setRawMode?.(true)
    input.on("data", onData)
    input.resume()
    process.stdout.on("resize", onResize)
  }
  const give = () => {
    process.stdout.off("resize", onResize)
    input.off("data", onData)
    input.setRawMode?.(false)
    input.pause()
    writeAll(1, leaveScreen)
  }
  take()
  return {
    size,
    draw(rows) {
      if (lent) return
      const next = rows.map(({ text, style }) => paint(text, colored ? colors[style] : (plain[style] ?? "")))
      const changed = next.flatMap((row, at) => (row === before[at] ? [] : [`\x1b[${at + 1};1H${row}\x1b[K`]))
      before = next
      // Shown at once by terminals that know how; others ignore the marks.
      if (changed.length > 0) writeAll(1, `\x1b[?2026h${changed.join("")}\x1b[?2026l`)
    },
    async lend(work) {
      give()
      lent = true
      try {
        return await work()
      } finally {
        lent = false
        take()
        events.onSize(size())
      }
    },
    close: give,
  }
}

function paint(text: string, style: string): string {
  return style === "" ? text : `\x1b[${style}m${text}\x1b[0m`
}

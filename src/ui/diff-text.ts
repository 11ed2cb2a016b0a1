import type { DiffNotes } from "../bottle/work/diff.ts"
import type { ByteSink } from "../lib/stdio.ts"
import { safeText } from "./safe-text.ts"

/** Longer lines are cut on a terminal, where nobody reads them; a pipe gets every byte. */
const longestLine = 4000
const colors = { "+": "32", "-": "31", "@": "36" } as const

/** Where a diff goes, and whether there was any. */
export interface DiffSink {
  take(piece: Uint8Array): Promise<unknown> | undefined
  end(): Promise<void>
  readonly any: boolean
}

/**
 * A diff on its way out. To a pipe as it is, so that it can be applied; to a terminal line by line with everything
 * visible that a terminal would act on or an eye would miss, and coloured unless that is not wanted.
 */
export function diffSink(out: ByteSink, terminal: boolean, colored: boolean): DiffSink {
  let rest = Buffer.alloc(0)
  let any = false
  const show = (lines: readonly string[]) =>
    out.write(Buffer.from(lines.map((line) => `${diffLine(line, colored)}\n`).join("")))
  return {
    get any() {
      return any
    },
    take(piece) {
      any ||= piece.length > 0
      if (!terminal) return out.write(piece)
      const all = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece])
      const end = all.lastIndexOf(10)
      // A line without end is shown in pieces and does not fill the memory.
      if (end === -1 && all.length < 2 ** 20) {
        rest = all
        return undefined
      }
      const upTo = end === -1 ? all.length : end
      rest = all.subarray(upTo + 1)
      return show(all.subarray(0, upTo).toString("utf8").split("\n"))
    },
    async end() {
      if (rest.length > 0) await show([rest.toString("utf8")])
    },
  }
}

/** One line of a diff for a terminal. */
export function diffLine(line: string, colored: boolean): string {
  const safe = safeText(line, longestLine, { lines: true })
  if (!colored) return safe
  if (/^(diff --git |index |--- |\+\+\+ |new file |deleted file |rename |similarity )/.test(line))
    return `\x1b[1m${safe}\x1b[0m`
  const color = colors[line[0] as keyof typeof colors]
  return color === undefined ? safe : `\x1b[${color}m${safe}\x1b[0m`
}

/** What a diff leaves out, one line each. */
export function diffNoteLines({ ignored, special, nested, gone }: DiffNotes): string[] {
  const files = (count: number) => `${count} file${count === 1 ? "" : "s"}`
  return [
    ...(ignored > 0 ? [`not shown: ${files(ignored)} that git would ignore (--ignored)`] : []),
    ...(special > 0 ? [`not shown: ${special} of sockets, pipes, devices and files over 4 GB`] : []),
    ...(nested > 0 ? [`not compared: ${nested} nested .git`] : []),
    ...gone
      .slice(0, 20)
      .map((path) => `changed or removed, and its content from before is gone: ${safeText(path, 200)}`),
    ...(gone.length > 20 ? [`and ${gone.length - 20} more whose content from before is gone`] : []),
  ]
}

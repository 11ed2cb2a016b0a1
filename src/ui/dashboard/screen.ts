import type { CliRenderer, KeyEvent, OptimizedBuffer, RGBA } from "@opentui/core"
import { guardTerminal } from "../terminal-guard.ts"
import type { Key, Size } from "./state/types.ts"
import { columns, type Look, type Row } from "./view/cells.ts"

/** The terminal as the dashboard uses it. Only this file knows OpenTUI, which writes what changed and nothing else. */
export interface Screen {
  readonly size: Size
  draw(rows: readonly Row[]): void
  onKey(listener: (key: Key) => void): void
  onResize(listener: (size: Size) => void): void
  /** BEL: what rings is the terminal's business. */
  ring(): void
  /** Give the terminal to somebody else, then take it back. */
  lend<T>(use: () => Promise<T>): Promise<T>
  /** The terminal as it was before. */
  close(): Promise<void>
}

/** What undoes the modes that OpenTUI sets, for when this process cannot any more. */
const undo = "\x1b[?2031l\x1b[?1004l\x1b[?2004l\x1b[>4;0m\x1b[?2026l\x1b[0m\x1b[?25h\x1b[?1049l"

/** Longest that the terminal may take to become what it was, in ms. */
const closePatience = 2_000

/** Palette indices, so that the operator's own theme holds; without colour only weight and words are left. */
const looks: Readonly<Record<Look, { color?: number; weight: "none" | "bold" | "dim" | "inverse" }>> = {
  plain: { weight: "none" },
  dim: { weight: "dim" },
  bold: { weight: "bold" },
  title: { color: 6, weight: "bold" },
  new: { color: 2, weight: "bold" },
  good: { color: 2, weight: "none" },
  warn: { color: 3, weight: "none" },
  bad: { color: 1, weight: "bold" },
  bar: { weight: "inverse" },
}

export async function openScreen(colored: boolean): Promise<Screen> {
  const { createCliRenderer, Renderable, RGBA, TextAttributes } = await import("@opentui/core")
  const attributes = {
    none: TextAttributes.NONE,
    bold: TextAttributes.BOLD,
    dim: TextAttributes.DIM,
    inverse: TextAttributes.INVERSE,
  }
  const plain = RGBA.defaultForeground()
  const ground = RGBA.defaultBackground()
  const colorOf = ({ color }: { color?: number }): RGBA =>
    colored && color !== undefined ? RGBA.fromIndex(color) : plain
  const pens = Object.fromEntries(
    Object.entries(looks).map(([name, look]) => [name, { color: colorOf(look), weight: attributes[look.weight] }]),
  ) as Record<Look, { color: RGBA; weight: number }>

  const guard = guardTerminal(1)
  const renderer = await createCliRenderer({
    exitOnCtrlC: false,
    exitSignals: [],
    useMouse: false,
    useKittyKeyboard: null,
    consoleMode: "disabled",
    openConsoleOnError: false,
    backgroundColor: ground,
    targetFps: 60,
    maxFps: 60,
  })
  guard?.note(undo)
  let rows: readonly Row[] = []
  class Canvas extends Renderable {
    protected override renderSelf(buffer: OptimizedBuffer): void {
      rows.forEach((row, y) => {
        let x = 0
        for (const { text, look } of row) {
          const pen = pens[look]
          if (text !== "") buffer.drawText(text, x, y, pen.color, ground, pen.weight)
          x += columns(text)
        }
        // A cell that nothing is drawn in has OpenTUI's white, which is no colour of the operator's.
        if (x < renderer.width) buffer.drawText(" ".repeat(renderer.width - x), x, y, plain, ground)
      })
    }
  }
  const canvas = new Canvas(renderer, { id: "dashboard", width: "100%", height: "100%" })
  renderer.root.add(canvas)
  return {
    get size() {
      return sizeOf(renderer)
    },
    draw(next) {
      rows = next
      canvas.requestRender()
    },
    onKey(listener) {
      renderer.keyInput.on("keypress", (event) => listener(keyOf(event)))
      renderer.keyInput.on("paste", (event) => listener({ name: "paste", text: new TextDecoder().decode(event.bytes) }))
    },
    onResize(listener) {
      renderer.on("resize", () => listener(sizeOf(renderer)))
    },
    ring: () => void process.stdout.write("\x07"),
    async lend(use) {
      await renderer.suspend()
      try {
        return await use()
      } finally {
        await renderer.resume()
        canvas.requestRender()
      }
    },
    async close() {
      renderer.destroy()
      const isClosed = renderer.closed.then(
        () => true,
        () => false,
      )
      // OpenTUI waits for ever for a terminal that is gone; what it could not undo is the guard's to do.
      if (await Promise.race([isClosed, Bun.sleep(closePatience)])) await guard?.release()
    },
  }
}

function sizeOf(renderer: CliRenderer): Size {
  return { cols: renderer.width, rows: renderer.height }
}

/** A key by the name that the state knows. Letters keep their case: `g` and `G` differ. */
function keyOf(event: KeyEvent): Key {
  if (event.ctrl) return { name: `ctrl-${event.name}`, text: "" }
  const { sequence, name } = event
  const types = !event.meta && /^[^\p{Cc}]$/u.test(sequence)
  if (types) return { name: sequence === " " ? "space" : sequence, text: sequence }
  return { name: event.meta ? `meta-${name}` : name === "enter" || name === "linefeed" ? "return" : name, text: "" }
}

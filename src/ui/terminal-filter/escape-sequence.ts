import type { ScreenLedger } from "./screen-ledger.ts"

const charsetReset = "\x0f\x1b(B\x1b)B"

/**
 * Judge one escape sequence (`ESC`, intermediates, final byte) that opens nothing longer. Returns what to write, empty for
 * what is dropped: terminal identification, 8-bit mode, character sets but line drawing, line sizes.
 */
export function acceptEscape(intermediates: string, final: string, ledger: ScreenLedger): string {
  const sequence = `\x1b${intermediates}${final}`
  switch (intermediates + final) {
    case "7": // save and restore the cursor
    case "8":
    case "D": // line feed, new line, reverse line feed
    case "E":
    case "M":
      return sequence
    case "H": // set a tab stop
      ledger.owe("\x1b[?5W")
      return sequence
    case "=": // application keypad
    case ">":
      if (!ledger.takesInput) return ""
      ledger.owe("\x1b>", final === "=")
      return sequence
    case "(B": // character sets: ASCII and line drawing
    case ")B":
    case "(0":
    case ")0":
      ledger.owe(charsetReset)
      return sequence
    case "c":
      // A hard reset would also clear the operator's scrollback, title and fonts: undo what this session changed,
      // and clear the screen.
      return `${ledger.restore()}\x1b[H\x1b[2J`
    default:
      return ""
  }
}

/** Shift to and from the second character set: the two control characters that change how text is drawn. */
export function acceptShift(byte: number, ledger: ScreenLedger): string {
  ledger.owe(charsetReset)
  return String.fromCharCode(byte)
}

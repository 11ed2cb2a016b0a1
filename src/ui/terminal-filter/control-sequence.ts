import type { ScreenLedger } from "./screen-ledger.ts"

/** One or two numbers of at most five digits; larger ones only serve to keep a terminal busy. */
const number = /^\d{0,5}$/
const pair = /^\d{0,5}(;\d{0,5})?$/

/** Sequences without a prefix that are written as they came: final byte to what its parameters may be. */
const plain: Readonly<Record<string, RegExp>> = {
  "@": number, // insert characters
  A: number, // cursor: up, down, right, left, next and previous line, column
  B: number,
  C: number,
  D: number,
  E: number,
  F: number,
  G: number,
  H: pair, // cursor position
  I: number, // tabs forward
  J: /^[012]?$/, // erase in display; 3 would erase the operator's scrollback
  K: /^[012]?$/, // erase in line
  L: number, // insert and delete lines
  M: number,
  P: number, // delete characters
  S: number, // scroll up and down
  T: number,
  X: number, // erase characters
  Z: number, // tabs back
  "`": number, // column and line, absolute and relative
  a: number,
  b: /^\d{0,4}$/, // repeat the last character
  d: number,
  e: number,
  f: pair, // cursor position
  s: /^$/, // save and restore the cursor
  u: /^$/,
}

/**
 * Judge one control sequence: `body` is what stands between `CSI` and the final byte. Returns what to write, empty for
 * what is dropped: everything that is not listed here, and so every question that a terminal would answer.
 */
export function acceptControl(body: string, final: string, ledger: ScreenLedger): string {
  const from = isPrefix(body.charCodeAt(0)) ? 1 : 0
  const to = parametersEnd(body, from)
  if (to === body.length) {
    // Nearly all that comes: no pattern with groups, which would take most of the time.
    if (from === 0) return acceptPlain(body, final, ledger)
    if (body.startsWith("?") && (final === "h" || final === "l"))
      return acceptPrivateModes(body.slice(1), final, ledger)
  }
  return acceptRare(body.slice(0, from), body.slice(from, to), body.slice(to), final, ledger)
}

const isPrefix = (code: number): boolean => code >= 0x3c && code <= 0x3f

/** Where the digits, semicolons and colons end that begin at `from`. */
function parametersEnd(body: string, from: number): number {
  for (let at = from; at < body.length; at++) {
    const code = body.charCodeAt(at)
    if (code < 0x30 || code > 0x3b) return at
  }
  return body.length
}

/** Without prefix and intermediates. */
function acceptPlain(parameters: string, final: string, ledger: ScreenLedger): string {
  switch (final) {
    case "m":
      return acceptStyle(parameters, ledger)
    case "g":
      return acceptTabClear(parameters, ledger)
    case "r":
      return acceptScrollRegion(parameters, ledger)
    case "h":
    case "l":
      return acceptInsertMode(parameters, final, ledger)
    default:
      return Object.hasOwn(plain, final) && plain[final]?.test(parameters) ? `\x1b[${parameters}${final}` : ""
  }
}

/** Dropped whole where something else stands among the intermediates. */
function acceptRare(
  prefix: string,
  parameters: string,
  intermediates: string,
  final: string,
  ledger: ScreenLedger,
): string {
  if (!/^[ -/]*$/.test(intermediates)) return ""
  switch (`${prefix}${intermediates}${final}`) {
    case " q":
      return acceptCursorShape(parameters, ledger)
    case ">m":
      return acceptKeyReports(parameters, ledger)
    case ">u":
      return /^\d{0,2}$/.test(parameters) ? ledger.pushKeyboard(parameters) : ""
    case "<u":
      return /^\d{0,5}$/.test(parameters) ? ledger.popKeyboard(Math.max(Number(parameters), 1)) : ""
    case "=u":
      return /^\d{0,2}(;[123]?)?$/.test(parameters) ? ledger.changeKeyboard(parameters) : ""
    case "?W": // tab stops as at the start
      return parameters === "5" ? "\x1b[?5W" : ""
    case "!p": // soft reset
      return parameters === "" ? "\x1b[!p" : ""
    default:
      return ""
  }
}

function acceptStyle(parameters: string, ledger: ScreenLedger): string {
  if (/\d{6}/.test(parameters)) return ""
  ledger.setStyle(!/^0?$/.test(parameters))
  return `\x1b[${parameters}m`
}

function acceptTabClear(parameters: string, ledger: ScreenLedger): string {
  if (!/^[03]?$/.test(parameters)) return ""
  ledger.owe("\x1b[?5W")
  return `\x1b[${parameters}g`
}

function acceptScrollRegion(parameters: string, ledger: ScreenLedger): string {
  if (!pair.test(parameters)) return ""
  // Taking margins away moves the cursor home, so it is saved around that.
  ledger.owe("\x1b7\x1b[r\x1b8", parameters !== "")
  return `\x1b[${parameters}r`
}

/** Of the modes without a prefix only insert: the others lock the keyboard or change what Enter sends. */
function acceptInsertMode(parameters: string, final: string, ledger: ScreenLedger): string {
  if (parameters !== "4") return ""
  ledger.owe("\x1b[4l", final === "h")
  return `\x1b[4${final}`
}

/** A list may hold several modes; those that are not allowed are taken out of it. */
function acceptPrivateModes(parameters: string, final: string, ledger: ScreenLedger): string {
  if (!/^\d{1,5}(;\d{1,5})*$/.test(parameters)) return ""
  let written = ""
  // Most often there is one.
  for (const text of parameters.includes(";") ? parameters.split(";") : [parameters]) {
    const mode = Number(text)
    if (ledger.knows(mode)) written += `${ledger.setMode(mode, final === "h")}\x1b[?${mode}${final}`
  }
  return written
}

function acceptCursorShape(parameters: string, ledger: ScreenLedger): string {
  if (!/^[0-6]?$/.test(parameters)) return ""
  ledger.owe("\x1b[0 q", !/^0?$/.test(parameters))
  return `\x1b[${parameters} q`
}

/** xterm's modifyOtherKeys: how keys with modifiers are sent, as the kitty keyboard's forerunner. */
function acceptKeyReports(parameters: string, ledger: ScreenLedger): string {
  if (!ledger.takesInput || !/^4(;[012]?)?$/.test(parameters)) return ""
  ledger.owe("\x1b[>4m", /;[12]$/.test(parameters))
  return `\x1b[>${parameters}m`
}

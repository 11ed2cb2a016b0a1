import type { ScreenLedger } from "./screen-ledger.ts"

/** `rgb:` with one to four hex digits a part, `#` with 3, 6, 9 or 12, or a name. A question mark is none of them. */
const colour = /^(?:rgb:[\da-f]{1,4}(?:\/[\da-f]{1,4}){2}|#(?:[\da-f]{3}){1,4}|[a-z][a-z\d ]{0,31})$/i
const paletteIndex = /^(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])$/
/** Foreground, background, cursor: the values after the first of one command go to the next ones. */
const dynamicColours = [10, 11, 12]

/** Whether any command that passes begins with this character. */
export function mayBeAccepted(first: string): boolean {
  return first === "1" || first === "4"
}

/**
 * Judge one operating system command. Only setting and resetting colours passes: titles, working directories, links,
 * notifications, clipboard, prompt marks and every question are dropped.
 */
export function acceptCommand(body: string, ledger: ScreenLedger): string {
  const [command = "", ...values] = body.split(";")
  switch (command) {
    case "4":
      if (values.length === 0 || values.length % 2 !== 0) return ""
      if (!values.every((value, at) => (at % 2 === 0 ? paletteIndex : colour).test(value))) return ""
      ledger.owe(write("104"))
      return write(body)
    case "10":
    case "11":
    case "12": {
      const targets = dynamicColours.slice(dynamicColours.indexOf(Number(command)))
      if (values.length === 0 || values.length > targets.length) return ""
      if (!values.every((value) => colour.test(value))) return ""
      for (const target of targets.slice(0, values.length)) ledger.owe(write(String(target + 100)))
      return write(body)
    }
    case "104":
      if (!values.every((value) => paletteIndex.test(value))) return ""
      if (values.length === 0) ledger.owe(write("104"), false)
      return write(body)
    case "110":
    case "111":
    case "112":
      if (values.length > 0) return ""
      ledger.owe(write(command), false)
      return write(command)
    default:
      return ""
  }
}

function write(body: string): string {
  return `\x1b]${body}\x1b\\`
}

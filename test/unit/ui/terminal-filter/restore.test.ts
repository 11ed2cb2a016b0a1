import { expect, test } from "bun:test"
import { createTerminalFilter } from "../../../../src/ui/terminal-filter/index.ts"

function ending(text: string): string {
  const filter = createTerminalFilter()
  filter.push(Buffer.from(text))
  return Buffer.from(filter.end()).toString()
}

test.each([
  ["nothing for plain text", "text\r\n", ""],
  ["nothing for what was turned off again", "\x1b[?1049h\x1b[?25l\x1b[1mx\x1b[0m\x1b[?25h\x1b[?1049l", ""],
  ["nothing for a sequence cut off", "text\x1b[?104", ""],
  ["the cursor shown", "\x1b[?25l", "\x1b[?25h"],
  ["wrapping on", "\x1b[?7l", "\x1b[?7h"],
  ["style off", "\x1b[31mred", "\x1b[0m"],
  [
    "the mouse and paste off, then the alternate screen left",
    "\x1b[?1049;1000;1006;2004h",
    "\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[?1049l",
  ],
  [
    "keyboard entries popped, each on its own screen",
    "\x1b[>1u\x1b[?1049h\x1b[>3u\x1b[>5u",
    "\x1b[<2u\x1b[?1049l\x1b[<1u",
  ],
  ["the scroll region, with the cursor kept", "\x1b[2;5r", "\x1b7\x1b[r\x1b8"],
  ["keypad, insert mode, modified keys", "\x1b=\x1b[4h\x1b[>4;1m", "\x1b>\x1b[4l\x1b[>4m"],
  ["the cursor's shape", "\x1b[5 q", "\x1b[0 q"],
  ["character sets", "\x1b(0", "\x0f\x1b(B\x1b)B"],
  ["tab stops", "\x1b[3g", "\x1b[?5W"],
  ["colours", "\x1b]4;1;red\x07\x1b]11;#000\x07", "\x1b]104\x1b\\\x1b]111\x1b\\"],
])("the end brings %s", (_, text, expected) => expect(ending(text)).toBe(expected))

test("a character cut off by the end is replaced", () => {
  const filter = createTerminalFilter()
  filter.push(new Uint8Array([0xe2, 0x9c]))
  expect(Buffer.from(filter.end()).toString()).toBe("\ufffd")
})

test("leaving the alternate screen takes its keyboard entries along", () => {
  const filter = createTerminalFilter()
  const out = Buffer.from(filter.push(Buffer.from("\x1b[?1049h\x1b[>1u\x1b[?1049l"))).toString()
  expect(out).toBe("\x1b[?1049h\x1b[>1u\x1b[<1u\x1b[?1049l")
})

test("after its end a filter is as new", () => {
  const filter = createTerminalFilter()
  filter.push(Buffer.from("\x1b[?25l\x1b]0;cut"))
  filter.end()
  expect(Buffer.from(filter.push(Buffer.from("text"))).toString()).toBe("text")
  expect(filter.end()).toHaveLength(0)
})

test("what would have to be undone can be asked at any time, and is still undone at the end", () => {
  const filter = createTerminalFilter()
  expect(filter.pending()).toBe("")
  filter.push(Buffer.from("\x1b[?1049h\x1b[>1u\x1b[31m\x1b]11;#000\x07"))
  const pending = filter.pending()
  expect(pending).toBe("\x1b[<1u\x1b[?1049l\x1b]111\x1b\\\x1b[0m")
  expect(filter.pending()).toBe(pending)
  expect(Buffer.from(filter.end()).toString()).toBe(pending)
  expect(filter.pending()).toBe("")
})

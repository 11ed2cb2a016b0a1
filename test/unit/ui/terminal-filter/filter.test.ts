import { describe, expect, test } from "bun:test"
import { createTerminalFilter } from "../../../../src/ui/terminal-filter/index.ts"

const bytesOf = (text: string) => Buffer.from(text)
const show = (bytes: Uint8Array) => Buffer.from(bytes).toString()

function filtered(...chunks: (string | Uint8Array)[]): string {
  const filter = createTerminalFilter()
  return chunks.map((chunk) => show(filter.push(typeof chunk === "string" ? bytesOf(chunk) : chunk))).join("")
}

describe("passes as it came:", () => {
  test.each([
    ["text of any script", "plain, Grüße, 日本語, e\u0301, 👩‍👩‍👧 ✳\r\n\t\b"],
    ["styles", "\x1b[m\x1b[1;4:3;38;2;1;2;3;48:5:17mx\x1b[0m"],
    ["cursor movement", "\x1b[A\x1b[2B\x1b[3C\x1b[4D\x1b[E\x1b[F\x1b[7G\x1b[8;9H\x1b[f\x1b[2d\x1b[s\x1b[u\x1b7\x1b8"],
    ["erasing", "\x1b[J\x1b[2J\x1b[K\x1b[1K\x1b[3X\x1b[2P\x1b[@\x1b[L\x1b[M"],
    ["scrolling and its region", "\x1b[2;20r\x1b[S\x1b[3T\x1bD\x1bM\x1bE\x1b[r"],
    ["tab stops", "\x1bH\x1b[g\x1b[3g\x1b[2I\x1b[Z"],
    ["line drawing", "\x1b(0lqk\x1b(B\x1b)0\x0elqk\x0f"],
    ["alternate screens", "\x1b[?1049h\x1b[?1049l\x1b[?47h\x1b[?47l\x1b[?1047h\x1b[?1047l"],
    ["cursor visibility and shape", "\x1b[?25l\x1b[?25h\x1b[4 q\x1b[ q"],
    ["mouse, paste, focus, synchronized output", "\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?2026h\x1b[?2026l"],
    ["application keys", "\x1b[?1h\x1b=\x1b>\x1b[?1l"],
    ["kitty keyboard", "\x1b[>1u\x1b[=5;1u\x1b[<1u"],
    ["modified keys", "\x1b[>4;2m\x1b[>4m"],
    ["setting colours", "\x1b]4;1;rgb:ff/00/00\x1b\\\x1b]11;#123456\x1b\\\x1b]10;red;blue\x1b\\"],
    ["resetting colours", "\x1b]104\x1b\\\x1b]104;1;2\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\"],
    ["soft reset", "\x1b[!p"],
    ["repeat", "-\x1b[79b"],
  ])("%s", (_, text) => expect(filtered(text)).toBe(text))
})

describe("is dropped:", () => {
  test.each([
    ["title", "\x1b]0;owned\x07"],
    ["title with ST", "\x1b]2;✳ owned\x1b\\"],
    ["title of tmux and screen", "\x1bkowned\x1b\\"],
    ["title stack and window operations", "\x1b[22;0t\x1b[8;10;10t\x1b[21t\x1b[14t"],
    ["working directory", "\x1b]7;file://host/etc\x07"],
    ["clipboard", "\x1b]52;c;b3duZWQ=\x07"],
    ["clipboard question", "\x1b]52;c;?\x1b\\"],
    ["notifications", "\x1b]9;hi\x07\x1b]99;;hi\x1b\\\x1b]777;notify;a;b\x07"],
    ["prompt marks and iTerm's own", "\x1b]133;A\x07\x1b]1337;SetMark\x07\x1b]633;A\x07"],
    ["colour questions", "\x1b]4;1;?\x07\x1b]10;?\x07\x1b]11;?\x1b\\\x1b]12;?\x07\x1b]11;red;?\x07"],
    ["other colours", "\x1b]13;red\x07\x1b]17;red\x07\x1b]5;0;red\x07\x1b]12;red;blue\x07"],
    ["commands without a number", "\x1b];x\x07\x1b]x\x07\x1b]\x07\x1b]00;x\x07"],
    ["device control", "\x1bP$qm\x1b\\\x1bP+q544e\x1b\\\x1bP1$tx\x1b\\"],
    ["pictures", "\x1bPq#0;2;0;0;0~~\x1b\\\x1b_Gf=24;AAAA\x1b\\"],
    ["tmux passthrough", "\x1bPtmux;\x1b\x1b]52;c;b3duZWQ=\x07more\x1b\x1b\\rest\x1b\\"],
    ["privacy message and start of string", "\x1b^secret\x1b\\\x1bXsecret\x1b\\"],
    ["device attributes", "\x1b[c\x1b[0c\x1b[>c\x1b[=c\x1bZ"],
    ["status reports", "\x1b[5n\x1b[6n\x1b[?6n\x1b[?15n\x1b[x\x1b[1x"],
    ["mode questions", "\x1b[?2026$p\x1b[4$p\x1b[?u\x1b[?4m\x1b[>q\x1b[?1;1S"],
    ["rectangles and checksums", "\x1b[1;1;2;2$r\x1b[1;1;1;1;1;1*y\x1b[5*x\x1b[1;1;9;9$z"],
    ["media copy", "\x1b[i\x1b[5i\x1b[?5i"],
    ["scrollback erasing", "\x1b[3J\x1b[22J"],
    ["highlight tracking", "\x1b[?1001h\x1b[1;2;3;4;5T"],
    ["modes that resize, report or lock", "\x1b[?3h\x1b[?2031h\x1b[?2048h\x1b[?69h\x1b[?2h\x1b[2h\x1b[20h\x1b[?9001h"],
    ["saved modes", "\x1b[?1049s\x1b[?1049r"],
    ["8-bit controls and character sets", "\x1b F\x1b G\x1b%G\x1b%@\x1b(A\x1b*0\x1bN\x1bO\x1bn\x1b}"],
    ["line sizes and test pattern", "\x1b#3\x1b#8"],
    ["bell, ENQ, NUL, DEL", "\x07\x05\0\x7f\x11\x13"],
    ["a stray ST", "\x1b\\"],
    ["numbers without end", "\x1b[999999C\x1b[10000b\x1b[1;2;3H"],
    ["malformed parameters", "\x1b[1?h\x1b[1 1q\x1b[?1?2h\x1b[<>u\x1b[1:2H"],
  ])("%s", (_, text) => expect(filtered(`a${text}z`)).toBe("az"))
})

describe("is changed:", () => {
  test.each([
    ["a link loses its target and keeps its text", "\x1b]8;id=1;https://evil.test\x07click\x1b]8;;\x07", "click"],
    ["a list of modes loses those not allowed", "\x1b[?25;2031;1049h", "\x1b[?25h\x1b[?1049h"],
    ["a colour's BEL becomes ST", "\x1b]11;#fff\x07", "\x1b]11;#fff\x1b\\"],
    ["an 8-bit introducer becomes 7-bit", "\u009b1mx\u009d11;red\u009c", "\x1b[1mx\x1b]11;red\x1b\\"],
    [
      "8-bit strings are strings",
      "a\u0090qx\u009cb\u009d0;t\u009cc\u009ex\u009cd\u009fy\u009ce\u0098z\u009cf",
      "abcdef",
    ],
    ["8-bit movements become 7-bit", "\u0084\u0085\u0088\u008d", "\x1bD\x1bE\x1bH\x1bM"],
    ["other 8-bit controls are dropped", "a\u0080\u008e\u008f\u009a\u009cz", "az"],
    ["a control character inside a sequence comes before it", "\x1b[3\n1m", "\n\x1b[31m"],
    ["an ESC begins anew", "\x1b[3\x1b[1mx", "\x1b[1mx"],
    ["CAN ends a sequence and a string", "\x1b[3\x181mx\x1b]0;t\x18y", "1mxy"],
    ["an ESC ends a string", "\x1b]0;title\x1b[1mx", "\x1b[1mx"],
    ["a character ends a sequence", "\x1b[31ümx", "ümx"],
    ["a hard reset clears the screen only", "\x1b[?25l\x1bcx", "\x1b[?25l\x1b[?25h\x1b[H\x1b[2Jx"],
    ["more pops than pushes are cut", "\x1b[>1u\x1b[<9u\x1b[<u", "\x1b[>1u\x1b[<1u"],
    ["a keyboard change is made on an entry of its own", "\x1b[=1u", "\x1b[>0u\x1b[=1u"],
  ])("%s", (_, text, expected) => expect(filtered(text)).toBe(expected))

  test.each([
    ["a lone 8-bit CSI", [0x61, 0x9b, 0x33, 0x31, 0x6d], "a\ufffd31m"],
    ["a lone 8-bit OSC", [0x9d, 0x30, 0x3b, 0x78, 0x07], "\ufffd0;x"],
    ["an overlong ESC", [0xc0, 0x9b, 0x5b, 0x63], "\ufffd\ufffd[c"],
    ["an overlong ESC of three bytes", [0xe0, 0x80, 0x9b, 0x63], "\ufffd\ufffd\ufffdc"],
    ["a surrogate", [0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd"],
    ["a cut character before a sequence", [0xe2, 0x9c, 0x1b, 0x5b, 0x6d], "\ufffd\x1b[m"],
    ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd"],
  ])("%s is replaced and what follows is text", (_, bytes, expected) => {
    expect(filtered(new Uint8Array(bytes))).toBe(expected)
  })
})

describe("long sequences", () => {
  test("an overlong control sequence is dropped with its tail", () => {
    expect(filtered(`a\x1b[${"1;".repeat(5000)}mz`)).toBe("az")
  })

  test("an overlong command is dropped to its end", () => {
    expect(filtered(`a\x1b]11;${"x".repeat(100_000)}`, "still inside", "\x07z")).toBe("az")
  })

  test("what is held back is bounded, whatever comes", () => {
    const filter = createTerminalFilter()
    for (let at = 0; at < 200; at++) expect(filter.push(bytesOf(`\x1bPq${"~".repeat(60_000)}`))).toHaveLength(0)
    expect(show(filter.push(bytesOf("\x1b\\text")))).toBe("text")
  })
})

describe("for a program that does not read what is typed", () => {
  test.each([
    ["mouse and focus", "\x1b[?1000h\x1b[?1003;1006h\x1b[?1004h\x1b[?9h"],
    ["bracketed paste", "\x1b[?2004h\x1b[?2004l"],
    ["keyboards", "\x1b[>1u\x1b[=1u\x1b[<1u\x1b[>4;2m"],
    ["application keys", "\x1b[?1h\x1b=\x1b>\x1b[?66h"],
  ])("%s are dropped", (_, text) => {
    const filter = createTerminalFilter({ takesInput: false })
    expect(show(filter.push(bytesOf(`a${text}z`)))).toBe("az")
    expect(filter.end()).toHaveLength(0)
    expect(filter.hasAskedForReports).toBe(false)
  })

  test("screens, colours and movements pass", () => {
    const text = "\x1b[?1049h\x1b[31m\x1b[5;5H\x1b[?25l"
    expect(show(createTerminalFilter({ takesInput: false }).push(bytesOf(text)))).toBe(text)
  })
})

test("a filter knows that reports were asked for, also after they were turned off", () => {
  const filter = createTerminalFilter()
  filter.push(bytesOf("\x1b[?25l\x1b[?2004h"))
  expect(filter.hasAskedForReports).toBe(false)
  filter.push(bytesOf("\x1b[?1004h\x1b[?1004l"))
  expect(filter.hasAskedForReports).toBe(true)
})

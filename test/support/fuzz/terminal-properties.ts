import { createTerminalFilter } from "../../../src/ui/terminal-filter/index.ts"
import { terminalAttacks } from "../terminal/attacks.ts"
import { GullibleTerminal } from "../terminal/gullible.ts"
import { expectSame, join, mutate, type Property } from "./property.ts"

const pieces = [
  ...terminalAttacks.map(({ text }) => text),
  ...[
    "\x1b",
    "\x1b[",
    "\x1b]",
    "\x1bP",
    "\x1b\\",
    "\x07",
    "\x18",
    "\u009b",
    "\u009d",
    "\u009c",
    "\u0090",
    "?",
    ">",
    ";",
    "0",
    "52",
    "1049",
    "h",
    "l",
    "m",
    "c",
    "n",
    "u",
    "\x1b\x1b",
    "tmux;",
    "text",
    "ü",
    "\r\n",
  ],
]

export const terminalProperties: readonly Property[] = [
  {
    name: "the most gullible terminal behind the filter only draws, and is left as it was",
    short: 5000,
    kept: [292_934],
    check(random) {
      const bytes = Buffer.from(mutate(random, join(random, pieces, 12), pieces, 4))
      const terminal = new GullibleTerminal()
      const filter = createTerminalFilter({ takesInput: random.below(2) === 0 })
      for (const slice of random.slices(bytes)) terminal.write(filter.push(slice))
      terminal.write(filter.end())
      expectSame(`effects of ${JSON.stringify(bytes.toString())}`, [...terminal.effects, ...terminal.changed], [])
      return bytes.length > 0
    },
  },
]

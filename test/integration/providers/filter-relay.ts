import { appendFileSync, writeFileSync } from "node:fs"
import { createTerminalFilter } from "../../../src/ui/terminal-filter/index.ts"

/**
 * Stands where `bottle attach` stands: runs a program on a pty of its own, and shows what it writes through the
 * filter. The unfiltered bytes are kept in a file. Arguments: that file, then the program.
 */
const [record = "", ...argv] = process.argv.slice(2)
writeFileSync(record, "")
const filter = createTerminalFilter()
const child = Bun.spawn(argv, {
  terminal: {
    cols: process.stdout.columns,
    rows: process.stdout.rows,
    data: (_, bytes) => {
      appendFileSync(record, bytes)
      process.stdout.write(filter.push(bytes))
    },
  },
})
process.stdin.setRawMode(true)
process.stdin.on("data", (bytes) => child.terminal?.write(bytes))
const code = await child.exited
process.stdout.write(filter.end())
process.stdin.setRawMode(false)
process.exit(code)

import { LineReader, writeLine } from "../../../../src/lib/lines.ts"
import { perform, type Workload } from "./workloads.ts"

/** The load generator, a process of its own: one workload a line on stdin, its outcome a line on stdout. */

const reader = new LineReader()
let queue = Promise.resolve()

async function answer(line: string): Promise<void> {
  try {
    writeLine(process.stdout, await perform(JSON.parse(line) as Workload))
  } catch (error) {
    writeLine(process.stdout, { error: error instanceof Error ? error.message : String(error) })
  }
}

process.stdin.on("data", (chunk: Buffer) => {
  for (const line of reader.push(chunk)) queue = queue.then(() => answer(line))
})
process.stdin.on("end", () => process.exit(0))

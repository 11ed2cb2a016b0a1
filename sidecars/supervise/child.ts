import { LineReader, writeLine } from "../../src/lib/lines.ts"
import type { FromSidecar, ToSupervise } from "../control.ts"
import { type Supervise, startSupervise } from "./main.ts"
import { forbidNetwork } from "./no-network.ts"
import { Notices } from "./notices.ts"

/**
 * The supervise sidecar as a process: no network, no secret, its own socket and the supervisor's pipes. It obeys lines
 * on stdin and speaks on stdout; when stdin ends the process ends.
 */
export async function runSuperviseChild(): Promise<void> {
  forbidNetwork()
  const lines = Bun.stdout.writer()
  const tell = (message: FromSidecar) => {
    writeLine(lines, message)
    lines.flush()
  }
  const notices = new Notices(
    (event) => tell({ type: "event", event }),
    () => performance.now(),
  )
  let supervise: Supervise | undefined

  async function obey(message: ToSupervise): Promise<void> {
    if (message.type === "reply") return supervise?.answered(message.call, message.result)
    if (message.type === "response") return supervise?.decided(message.response)
    if (message.type === "drain") return tell({ type: "ack", seq: message.seq, hash: "" })
    try {
      if (supervise !== undefined) throw new Error("already configured")
      const { socket, settings } = message
      supervise = await startSupervise({
        ...{ socket, settings },
        tell: (call, request) => tell({ type: "call", call, request }),
        emit: (event) => tell({ type: "event", event }),
      })
      tell({ type: "ack", seq: message.seq, hash: "" })
    } catch (error) {
      tell({ type: "nack", seq: message.seq, error: error instanceof Error ? error.message : String(error) })
    }
  }

  // One connection's accident must not end the others. What it says may be the agent's words, and is left out.
  const report = (error: unknown) => notices.tell("error", { what: error instanceof Error ? error.name : "unknown" })
  process.on("uncaughtException", report)
  process.on("unhandledRejection", report)

  const reader = new LineReader()
  let queue = Promise.resolve()
  try {
    for await (const chunk of Bun.stdin.stream()) {
      for (const line of reader.push(chunk)) {
        queue = queue.then(() => obey(JSON.parse(line) as ToSupervise)).catch(report)
      }
    }
    process.exit(0)
  } catch {
    process.exit(1)
  }
}

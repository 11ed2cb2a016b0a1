import { LineReader, writeLine } from "../../src/lib/lines.ts"
import type { FromSidecar, SidecarEvent, ToEgress } from "../control.ts"
import { type Egress, startEgress } from "./main.ts"

/**
 * The egress sidecar as a process: obeys lines on stdin, one after the other, and answers each on stdout, where events
 * go too. When stdin ends the process ends, since nobody is left who could change its policy.
 */
export async function runEgressChild(): Promise<void> {
  // Bun's own streams: node's cost 9 ms of CPU at start.
  const answers = Bun.stdout.writer()
  const tell = (message: FromSidecar) => {
    writeLine(answers, message)
    answers.flush()
  }
  const emit = (event: SidecarEvent) => tell({ type: "event", event })
  let egress: Egress | undefined

  /** Returns the hash of the policy in force after the message. */
  async function obey(message: ToEgress): Promise<string> {
    if (message.type === "configure") {
      if (egress !== undefined) throw new Error("already configured")
      const { socket, policy, secrets, ca } = message
      egress = await startEgress({ socket, policy, secrets, ca, emit })
      return egress.policyHash
    }
    // What was told before stands before the answer.
    if (message.type === "drain") return egress?.policyHash ?? ""
    if (egress === undefined) throw new Error("not configured")
    if (message.type === "policy") return egress.applyPolicy(message.policy)
    egress.setSecrets(message.secrets)
    return egress.policyHash
  }

  async function answer(line: string): Promise<void> {
    const message = JSON.parse(line) as ToEgress
    try {
      tell({ type: "ack", seq: message.seq, hash: await obey(message) })
    } catch (error) {
      tell({ type: "nack", seq: message.seq, error: error instanceof Error ? error.message : String(error) })
    }
  }

  const report = (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error)
    emit({ time: new Date().toISOString(), kind: "error", where: "egress", message })
  }
  // One connection's accident must not end the others; it is told, and whatever it was doing fails closed.
  process.on("uncaughtException", report)
  process.on("unhandledRejection", report)

  const reader = new LineReader()
  let queue = Promise.resolve()
  try {
    for await (const chunk of Bun.stdin.stream()) {
      for (const line of reader.push(chunk)) queue = queue.then(() => answer(line)).catch(report)
    }
    process.exit(0)
  } catch {
    process.exit(1)
  }
}

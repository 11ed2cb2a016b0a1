import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { CallResult, FromSidecar, SidecarCall, SidecarEvent, ToSupervise } from "../../../sidecars/control.ts"
import { LineReader, writeLine } from "../../../src/lib/lines.ts"
import { binary } from "../command.ts"

type Numberless<T> = T extends { seq: number } ? Omit<T, "seq"> : never

/** The supervise sidecar as the process it is, with this test in the supervisor's place. */
export interface Besieged {
  pid: number
  socket: string
  calls: SidecarCall[]
  events: SidecarEvent[]
  /** Every line it wrote to the supervisor. */
  lines: string[]
  answer: (request: SidecarCall) => CallResult | undefined
  alive(): boolean
  /** Resident memory in bytes. */
  memory(): number
  close(): Promise<void>
}

export async function besiege(): Promise<Besieged> {
  const folder = mkdtempSync(join(tmpdir(), "bottle-besieged-"))
  const socket = join(folder, "s.sock")
  const child = Bun.spawn([binary, "sidecar", "--child", "supervise"], {
    env: { PATH: "/usr/bin:/bin" },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  })
  const post = (message: Numberless<ToSupervise>) => {
    writeLine(child.stdin, { ...message, seq: 1 })
    child.stdin.flush()
  }
  const ready = Promise.withResolvers<void>()
  const it: Besieged = {
    ...{ pid: child.pid, socket, calls: [], events: [], lines: [] },
    answer: () => ({ kind: "pending", id: "p0000000000" }),
    alive: () => child.exitCode === null && child.signalCode === null,
    memory() {
      const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? []
      return Number(kib) * 1024
    },
    async close() {
      child.kill("SIGKILL")
      await child.exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
  const take = (message: FromSidecar) => {
    if (message.type === "ack") ready.resolve()
    if (message.type === "nack") ready.reject(new Error(message.error))
    if (message.type === "event") it.events.push(message.event)
    if (message.type !== "call") return
    it.calls.push(message.request)
    const result = it.answer(message.request)
    if (result !== undefined) post({ type: "reply", call: message.call, result })
  }
  void (async () => {
    const reader = new LineReader()
    for await (const chunk of child.stdout) {
      for (const line of reader.push(chunk)) {
        it.lines.push(line)
        take(JSON.parse(line) as FromSidecar)
      }
    }
  })()
  void child.exited.then((code) => ready.reject(new Error(`supervise ended with ${code}`)))
  post({ type: "configure", socket, settings: { image: { args: {} }, wait: 0.05 } })
  await ready.promise
  return it
}

/** Send bytes on a connection of their own and read until the other side ends it, or `until` has been seen. */
export function exchange(socket: string, bytes: string | Buffer, until?: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let answer = ""
    const stream: Socket = connect(socket)
    const done = () => {
      stream.destroy()
      resolve(answer)
    }
    stream.on("data", (chunk) => {
      answer += chunk.toString("latin1")
      if (until?.test(answer)) done()
    })
    stream.on("error", done).on("close", done)
    stream.write(bytes)
  })
}

/** A well-formed POST to /mcp with this body. */
export function post(body: string | Buffer, fields: readonly string[] = ["Connection: close"]): Buffer {
  const bytes = Buffer.from(body)
  const head = [
    "POST /mcp HTTP/1.1",
    ...["Host: 127.0.0.1:9100", "Accept: application/json, text/event-stream", "Content-Type: application/json"],
    ...[`Content-Length: ${bytes.length}`, ...fields],
  ]
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), bytes])
}

/** `tools/call` as a body. */
export function toolCall(name: string, given: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: given } })
}

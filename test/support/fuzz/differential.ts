import { join } from "node:path"
import { canonicalHost } from "../../../src/policy/host.ts"
import { canonicalPath } from "../../../src/policy/path.ts"
import { nodeWithProxy } from "../require.ts"
import { Random } from "../tls/random.ts"
import { makeHost, makeTarget } from "./host-properties.ts"
import { makeMessage, readAsEgress } from "./messages.ts"
import { expectSame, expectTrue } from "./property.ts"

/** Inputs asked about at a time. */
const batch = 500

/** Node's own parsers, in a process of their own. */
export async function withNode<T>(
  use: (ask: (questions: readonly object[]) => Promise<unknown[]>) => Promise<T>,
): Promise<T> {
  const child = Bun.spawn([nodeWithProxy() ?? "node", "--no-warnings", join(import.meta.dir, "node-oracle.ts")], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    env: { PATH: process.env.PATH ?? "" },
  })
  const reader = child.stdout.getReader()
  const decoder = new TextDecoder()
  let text = ""
  const ask = async (questions: readonly object[]) => {
    child.stdin.write(questions.map((question) => `${JSON.stringify(question)}\n`).join(""))
    child.stdin.flush()
    const lines: string[] = []
    while (lines.length < questions.length) {
      const { done, value } = await reader.read()
      if (done) throw new Error("node ended")
      const parts = (text + decoder.decode(value, { stream: true })).split("\n")
      text = parts.pop() ?? ""
      lines.push(...parts)
    }
    return lines.map((line) => JSON.parse(line) as unknown)
  }
  try {
    return await use(ask)
  } finally {
    child.kill()
  }
}

interface NodeReading {
  messages: { method: string; target: string; minor: number; headers: string[]; body: string; complete: boolean }[]
  failed: boolean
}

/** Whatever egress reads as a request, Node reads as the same request. Resolves with how many were compared. */
export async function compareMessages(count: number): Promise<number> {
  return withNode(async (ask) => {
    let compared = 0
    for (let from = 0; from < count; from += batch) {
      const inputs = Array.from({ length: batch }, (_, at) => makeMessage(new Random(from + at)))
      const ours = await Promise.all(inputs.map((bytes) => readAsEgress([bytes])))
      const asked = ours.flatMap((read, at) => (typeof read === "object" ? [{ read, at }] : []))
      // Node gets what egress took and not a byte more: the rest is another message's.
      const theirs = (await ask(
        asked.map(({ read, at }) => ({ http: inputs[at]?.subarray(0, read.length).toString("latin1") })),
      )) as NodeReading[]
      for (const [index, { read, at }] of asked.entries()) {
        const where = `seed ${from + at}`
        const { messages, failed } = theirs[index] ?? { messages: [], failed: true }
        const [message] = messages
        expectTrue(`${where}: ${messages.length} messages`, messages.length <= 1)
        // Node refuses what it does not know (a method, spaces in an extension of a chunk): that is no second reading.
        if (failed || message === undefined) continue
        const { method, target, minor, headers } = read.head
        // After CONNECT no HTTP follows.
        if (method === "CONNECT") continue
        expectSame(`${where}: head`, [message?.method, message?.target, message?.minor], [method, target, minor])
        expectSame(`${where}: fields`, message?.headers, headers.flat())
        expectSame(`${where}: body`, message?.body, read.body)
        expectTrue(`${where}: for Node it goes on`, message?.complete === true)
        compared++
      }
    }
    return compared
  })
}

/** Whatever host and path the policy takes, Node's URL and Bun's read the same. */
export async function compareUrls(count: number): Promise<number> {
  return withNode(async (ask) => {
    let compared = 0
    for (let from = 0; from < count; from += batch) {
      const taken = Array.from({ length: batch }, (_, at) => {
        const random = new Random(from + at)
        return { text: makeHost(random), target: makeTarget(random) }
      }).flatMap(({ text, target }) => {
        const host = canonicalHost(text)
        const path = canonicalPath(target)
        const literal = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text
        return host.kind === "bad"
          ? []
          : [{ host, path, url: `https://${literal}${path.kind === "bad" ? "/" : target}` }]
      })
      const answers = (await ask(taken.map(({ url }) => ({ url })))) as ({
        host: string
        path: string
        query: string
      } | null)[]
      for (const [at, { host, path, url }] of taken.entries()) {
        const theirs = answers[at]
        // Node refuses some punycode that Bun takes: that is no second reading.
        if (theirs === null || theirs === undefined) continue
        expectSame(`host of ${JSON.stringify(url)}`, theirs.host.replace(/\.$/, ""), host.host)
        if (path.kind === "path") expectSame(`path of ${JSON.stringify(url)}`, theirs.path, path.wirePath)
        const bun = URL.parse(url)
        expectSame("Bun", [bun?.hostname, bun?.pathname, bun?.search], [theirs.host, theirs.path, theirs.query])
        compared++
      }
    }
    return compared
  })
}

/**
 * Where curl would go for a host that the policy takes: the same host, however it was written. curl is asked through a
 * proxy of the test's own, which writes down the names it is given.
 */
export async function compareWithCurl(count: number): Promise<number> {
  const hosts: { text: string; host: string }[] = []
  for (let seed = 0; hosts.length < count; seed++) {
    const text = makeHost(new Random(seed))
    const host = canonicalHost(text)
    if (host.kind === "bad" || text.includes('"') || text.includes("\\")) continue
    // Where another label is malformed, curl falls back to the IDNA of 2003, for which `ß` is `ss`. What it then asks
    // for is judged by that name.
    if (/[\u00df\u1e9e\u03c2]/.test(text)) continue
    hosts.push({ text: text.includes(":") && !text.startsWith("[") ? `[${text}]` : text, host: host.host })
  }
  const asked = new Map<string, string>()
  const server = Bun.listen<{ text: string }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { text: "" }
      },
      data: (socket, chunk) => {
        socket.data.text += chunk.toString()
        for (;;) {
          const end = socket.data.text.indexOf("\r\n\r\n")
          if (end === -1) return
          const head = socket.data.text.slice(0, end)
          socket.data.text = socket.data.text.slice(end + 4)
          const [, authority = "", id = ""] = /^GET http:\/\/(.*)\/(\d+) HTTP/.exec(head) ?? []
          asked.set(id, authority)
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
      },
    },
  })
  try {
    const config = hosts.map(({ text }, at) => `url = "http://${text}/${at}"\noutput = "/dev/null"\n`).join("")
    const child = Bun.spawn(["curl", "-q", "-s", "-g", "--proxy", `http://127.0.0.1:${server.port}`, "-K", "-"], {
      stdin: new TextEncoder().encode(config),
      stdout: "ignore",
      stderr: "ignore",
      env: { PATH: process.env.PATH ?? "", LANG: "C.UTF-8", LC_ALL: "C.UTF-8" },
    })
    await child.exited
  } finally {
    server.stop(true)
  }
  for (const [id, authority] of asked) {
    const { text, host } = hosts[Number(id)] ?? { text: "", host: "" }
    const theirs = canonicalHost(authority)
    expectSame(
      `curl for ${JSON.stringify(text)} asks for ${JSON.stringify(authority)}`,
      theirs.kind === "host" && theirs.host,
      host,
    )
  }
  return asked.size
}

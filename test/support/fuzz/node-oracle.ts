import { createRequire } from "node:module"

/**
 * Runs under Node, not Bun: reads lines of JSON, `{"http": latin1}` or `{"url": text}`, and answers each with how Node's
 * own parsers read it.
 */

interface HttpParser {
  initialize(type: number, resource: object): void
  execute(bytes: Buffer): number | Error
  [callback: number]: unknown
}
interface HttpParserClass {
  new (): HttpParser
  readonly REQUEST: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}
const { HTTPParser, methods } = createRequire(import.meta.url)("_http_common") as {
  HTTPParser: HttpParserClass
  methods: string[]
}

interface ReadMessage {
  method: string
  target: string
  minor: number
  headers: string[]
  body: string
  complete: boolean
}

/** All messages that llhttp finds, and whether it went through to the end of the bytes. */
function readHttp(latin1: string): { messages: ReadMessage[]; failed: boolean } {
  const messages: ReadMessage[] = []
  const parser = new HTTPParser()
  parser.initialize(HTTPParser.REQUEST, {})
  let fields: string[] = []
  parser[HTTPParser.kOnHeaders | 0] = (headers: string[]) => {
    fields = [...fields, ...headers]
  }
  parser[HTTPParser.kOnHeadersComplete | 0] = (
    _major: number,
    minor: number,
    headers: string[] | undefined,
    method: number,
    url: string,
  ) => {
    const all = headers ?? fields
    messages.push({ method: methods[method] ?? "", target: url, minor, headers: all, body: "", complete: false })
    fields = []
    return 0
  }
  parser[HTTPParser.kOnBody | 0] = (bytes: Buffer) => {
    const last = messages.at(-1)
    if (last !== undefined) last.body += bytes.toString("latin1")
  }
  parser[HTTPParser.kOnMessageComplete | 0] = () => {
    const last = messages.at(-1)
    if (last !== undefined) last.complete = true
  }
  const result = parser.execute(Buffer.from(latin1, "latin1"))
  return { messages, failed: typeof result !== "number" }
}

function readUrl(text: string): object | null {
  const url = URL.parse(text)
  return url === null ? null : { host: url.hostname, port: url.port, path: url.pathname, query: url.search }
}

let pending = ""
process.stdin.setEncoding("utf8")
process.stdin.on("data", (chunk: string) => {
  const lines = (pending + chunk).split("\n")
  pending = lines.pop() ?? ""
  const answers = lines.map((line) => {
    const asked = JSON.parse(line) as { http?: string; url?: string }
    return JSON.stringify(asked.http === undefined ? readUrl(asked.url ?? "") : readHttp(asked.http))
  })
  if (answers.length > 0) process.stdout.write(`${answers.join("\n")}\n`)
})

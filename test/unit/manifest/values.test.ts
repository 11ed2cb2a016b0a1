// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax under test
import { describe, expect, test } from "bun:test"
import { parseEnvMode, refuseEnvName } from "../../../src/manifest/values/env-mode.ts"
import { parseDuration, parseSize } from "../../../src/manifest/values/sizes.ts"

describe("a value under env", () => {
  test.each([
    ["?", { kind: "ask", question: "" }],
    ["?which region", { kind: "ask", question: "which region" }],
    ["${TOKEN}", { kind: "host", name: "TOKEN" }],
    ["$${TOKEN}", { kind: "literal", value: "${TOKEN}" }],
    ["plain", { kind: "literal", value: "plain" }],
    ["", { kind: "literal", value: "" }],
    ["${TOKEN}/bin", { kind: "literal", value: "${TOKEN}/bin" }],
    ["${not a name}", { kind: "literal", value: "${not a name}" }],
    ["$TOKEN", { kind: "literal", value: "$TOKEN" }],
    ["a?", { kind: "literal", value: "a?" }],
  ])("%p", (text, mode) => {
    expect(parseEnvMode(text)).toEqual(mode as never)
  })

  test.each(
    "HTTP_PROXY https_proxy All_Proxy NO_PROXY no_proxy SSL_CERT_FILE CURL_CA_BUNDLE GIT_SSL_CAINFO REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS PIP_CERT CARGO_HTTP_CAINFO BUN_OPTIONS BUN_BE_BUN LD_PRELOAD LD_AUDIT HOME BOT_BOTTLE_HOME A-B 1A"
      .split(" ")
      .map((name) => [name]),
  )("cannot be called %s", (name) => {
    expect(refuseEnvName(name)).toBeString()
  })

  test.each([["PATH"], ["EDITOR"], ["_x"], ["NODE_OPTIONS"], ["constructor"], ["MY_HTTP_PROXY"]])(
    "may be called %s",
    (name) => {
      expect(refuseEnvName(name)).toBeUndefined()
    },
  )
})

describe("sizes and times", () => {
  test.each([
    ["2g", 2 * 2 ** 30],
    ["500m", 500 * 2 ** 20],
    ["1.5G", 1.5 * 2 ** 30],
    ["64k", 65_536],
    ["1TiB", 2 ** 40],
    ["10MB", 10 * 2 ** 20],
  ])("%s is %p bytes", (text, bytes) => {
    expect(parseSize(text)).toEqual({ kind: "value", value: bytes })
  })

  test.each([["2"], ["g"], ["-1g"], ["1e9m"], ["0m"], ["1 g"], ["999999999t"], ["2gg"], [""]])(
    "%p is no size",
    (text) => {
      expect(parseSize(text).kind).toBe("bad")
    },
  )

  test.each([
    ["90s", 90],
    ["30m", 1800],
    ["1.5h", 5400],
    ["7d", 604_800],
  ])("%s is %p seconds", (text, seconds) => {
    expect(parseDuration(text)).toEqual({ kind: "value", value: seconds })
  })

  test.each([["30"], ["m"], ["0s"], ["5y"], ["1h30m"]])("%p is no time", (text) => {
    expect(parseDuration(text).kind).toBe("bad")
  })
})

import { describe, expect, test } from "bun:test"
import { canonicalHost, canonicalHostPattern, egressName, parseAuthority } from "../../../src/policy/host.ts"

const names: [string, string][] = [
  ["example.com", "example.com"],
  ["EXAMPLE.Com", "example.com"],
  ["example.com.", "example.com"],
  ["exämple.com", "xn--exmple-cua.com"],
  ["XN--EXMPLE-CUA.com", "xn--exmple-cua.com"],
  ["faß.de", "xn--fa-hia.de"],
  ["Ｅxample.com", "example.com"],
  ["a。com", "a.com"],
  ["localhost", "localhost"],
  ["r3---sn-4g5e6n7s.example.com", "r3---sn-4g5e6n7s.example.com"],
]

const addresses: [string, string][] = [
  ["127.0.0.1", "127.0.0.1"],
  ["127.1", "127.0.0.1"],
  ["127.0.1", "127.0.0.1"],
  ["2130706433", "127.0.0.1"],
  ["0x7f000001", "127.0.0.1"],
  ["0x7F.1", "127.0.0.1"],
  ["0177.0.0.1", "127.0.0.1"],
  ["017700000001", "127.0.0.1"],
  ["127.0.0.1.", "127.0.0.1"],
  ["１２７.0.0.1", "127.0.0.1"],
  ["0", "0.0.0.0"],
  ["::1", "[::1]"],
  ["[::1]", "[::1]"],
  ["[0:0:0:0:0:0:0:1]", "[::1]"],
  ["2001:DB8:0::1", "[2001:db8::1]"],
  ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
  ["::ffff:7f00:1", "[::ffff:7f00:1]"],
]

const refused: [string, string][] = [
  ["", "empty"],
  [".", "empty"],
  ["a..b", "empty label"],
  [".a.com", "empty label"],
  ["a.com..", "empty label"],
  ["。", "empty label"],
  ["attacker\0.allowed.com", "control"],
  ["a\r\n.com", "control"],
  ["a b.com", "space"],
  ["a\u00a0b.com", "space"],
  ["a%2ecom", "percent"],
  ["a%00.com", "percent"],
  ["my_host.com", "underscore"],
  ["_egress.local.", "underscore"],
  ["_EGRESS.local", "underscore"],
  ["ex\u00adample.com", "invisible"],
  ["a\u200db.com", "invisible"],
  ["-oProxyCommand.com", "hyphen"],
  ["a-.com", "hyphen"],
  ["user@example.com", "character"],
  ["a/b", "character"],
  ["a\\b", "character"],
  ["a?b", "character"],
  ["a#b", "character"],
  ["*.example.com", "character"],
  ["ⓔxample.com", "character"],
  ["a|b", "character"],
  ["a\u2100b.com", "character"],
  ["example.com:443", "IPv6"],
  ["[example.com]", "IPv6"],
  ["[::1", "IPv6"],
  ["[[::1]]", "IPv6"],
  ["1::2::3", "IPv6"],
  ["::1:", "IPv6"],
  ["x\u00df--y.example", "hyphens"],
  ["a.x\u00df--y.example", "hyphens"],
  ["[::1:]", "IPv6"],
  ["fe80::1%eth0", "zone"],
  ["[fe80::1%25eth0]", "zone"],
  ["1.2.3.256", "neither"],
  ["1.2.3.4.5", "neither"],
  ["4294967296", "neither"],
  ["09.1.1.1", "neither"],
  ["foo.1", "neither"],
  ["xn--a", "neither"],
  ["xn--zzzzzz9", "neither"],
  [`${"a".repeat(64)}.com`, "label longer"],
  [`${"abcdefgh.".repeat(32)}com`, "longer than 253"],
  ["a".repeat(5000), "too long"],
]

describe("a canonical host", () => {
  test.each(names)("%j is the name %s", (text, host) => {
    expect(canonicalHost(text)).toEqual({ kind: "host", host })
  })

  test.each(addresses)("%j is the address %s", (text, host) => {
    expect(canonicalHost(text)).toEqual({ kind: "host", host, ip: host.replace(/[[\]]/g, "") })
  })

  test.each(refused)("%j is refused: %s", (text, why) => {
    const result = canonicalHost(text)
    expect(result.kind).toBe("bad")
    expect(result.kind === "bad" && result.why).toContain(why)
  })

  test("is what new URL makes of it, and stays itself the second time", () => {
    for (const [text, host] of [...names, ...addresses]) {
      const literal = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text
      expect(new URL(`https://${literal}/`).hostname.replace(/\.$/, "")).toBe(host)
      expect(canonicalHost(host)).toMatchObject({ kind: "host", host })
    }
  })

  test("never differs from new URL on random text that it accepts", () => {
    const alphabet = [..."aAzZ019.-_:[]x%@/\\ \u00e4\u00df\u3002\uff0e\u2460\u212a\u0130\u00ad\u200d\uff10"]
    let seed = 7
    const next = (bound: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return Math.floor((seed / 2147483648) * bound)
    }
    let accepted = 0
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from({ length: 1 + next(10) }, () => alphabet[next(alphabet.length)]).join("")
      const result = canonicalHost(text)
      if (result.kind === "bad") continue
      accepted++
      const literal = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text
      expect(new URL(`https://${literal}/`).hostname.replace(/\.$/, "")).toBe(result.host)
      expect(canonicalHost(result.host)).toEqual(result)
    }
    expect(accepted).toBeGreaterThan(1000)
  })

  test("may have an underscore only as the sidecar's own name", () => {
    expect(canonicalHost(egressName)).toEqual({ kind: "host", host: "_egress.local" })
  })
})

describe("a route's host", () => {
  test("may be a wildcard for subdomains", () => {
    expect(canonicalHostPattern("*.Example.com.")).toEqual({ kind: "pattern", host: "example.com", wildcard: true })
    expect(canonicalHostPattern("example.com")).toEqual({ kind: "pattern", host: "example.com", wildcard: false })
  })

  test.each(["*", "*.", "*.*.com", "a.*.com", "*example.com", "*.127.1", "*.[::1]"])("%s is refused", (text) => {
    expect(canonicalHostPattern(text).kind).toBe("bad")
  })
})

describe("an authority", () => {
  test.each([
    ["Example.com:443", "example.com", 443],
    ["example.com.:8443", "example.com", 8443],
    ["127.1:80", "127.0.0.1", 80],
    ["[::1]:443", "[::1]", 443],
    ["example.com:1", "example.com", 1],
    ["example.com:65535", "example.com", 65535],
  ])("%s has a host and a port", (text, host, port) => {
    expect(parseAuthority(text)).toMatchObject({ kind: "authority", host, port })
  })

  test("without a port has none", () => {
    expect(parseAuthority("example.com")).toEqual({ kind: "authority", host: "example.com" })
    expect(parseAuthority("[::1]")).toEqual({ kind: "authority", host: "[::1]", ip: "::1" })
  })

  test.each([
    "",
    ":443",
    "example.com:",
    "example.com:0",
    "example.com:65536",
    "example.com:0443",
    "example.com:+443",
    "example.com:4 43",
    "example.com:443:443",
    "::1",
    "::1:443",
    "[::1]443",
    "[::1",
    "user@example.com:443",
    "user:pass@example.com:443",
    "exämple.com:443",
    "ex\0ample.com:443",
    " example.com",
    "example.com:443/",
    "https://example.com",
    "a,b:443",
    "example.com:4\u0664",
  ])("%j is refused", (text) => {
    expect(parseAuthority(text).kind).toBe("bad")
  })
})

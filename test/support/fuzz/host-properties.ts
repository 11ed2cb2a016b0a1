import { canonicalHost, parseAuthority } from "../../../src/policy/host.ts"
import { canonicalPath, findAmbiguity, foldSlashes } from "../../../src/policy/path.ts"
import type { Random } from "../tls/random.ts"
import { expectSame, expectTrue, join, mutate, type Property } from "./property.ts"

const hosts = [
  "example.com",
  "a.b-c.example",
  "127.0.0.1",
  "[::1]",
  "2130706433",
  "0x7f.1",
  "xn--bcher-kva.example",
  "bücher.example",
  "0177.0.0.1",
  "[::ffff:127.0.0.1]",
  "localhost",
]
const hostSpices = [
  ..."aAzZ059.-_:[]@%/\\?#&=+!*'();,|~^`{}<>\"$ \t\r\n\0\x7f",
  ...[
    "\u00e4",
    "\u00df",
    "\u3002",
    "\uff0e",
    "\uff61",
    "\u2460",
    "\u212a",
    "\u0130",
    "\u00ad",
    "\u200d",
    "\uff10",
    "\u2100",
    "\ud800",
  ],
  ...[
    "xn--",
    "0x",
    "00",
    "..",
    ":443",
    ":0",
    "@evil.test",
    "%2e",
    "%00",
    "::",
    "1e3",
    "\u{1d7d8}",
    "ß",
    "\u06f0",
    "%25eth0",
  ],
]

/** A text that is nearly a host. */
export function makeHost(random: Random): string {
  return random.below(4) === 0 ? join(random, hostSpices, 8) : mutate(random, random.pick(hosts), hostSpices, 3)
}

const segments = [
  "/",
  "/",
  "/",
  "a",
  "b1",
  ".",
  "..",
  "%2e",
  "%2E",
  "%2F",
  "%41",
  "%25",
  "%252e",
  ";",
  "?",
  "#",
  "%C3%A9",
  "~",
  "=",
  "%3f",
  "@",
  "//",
  "\\",
  "%5c",
  " ",
  "%00",
  "%c0%ae",
  "%EF%BC%8F",
  "\u00e9",
  "%",
  "%u002e",
  "&",
  "+",
]

/** A text that is nearly an origin-form target. */
export function makeTarget(random: Random): string {
  return `${random.below(12) === 0 ? "" : "/"}${join(random, segments, 9)}`
}

/** `new URL`'s reading of a host, as ours is spelt; undefined when it has none. */
export function hostByUrl(text: string): string | undefined {
  const literal = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text
  return URL.parse(`https://${literal}/`)?.hostname.replace(/\.$/, "")
}

export const hostProperties: readonly Property[] = [
  {
    name: "a host that is taken has one spelling, the one of new URL",
    short: 20_000,
    check(random) {
      const text = makeHost(random)
      const host = canonicalHost(text)
      if (host.kind === "bad") return false
      expectSame(`new URL of ${JSON.stringify(text)}`, hostByUrl(text), host.host)
      expectSame("the second time", canonicalHost(host.host), host)
      expectTrue(`odd characters in ${host.host}`, /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]|_egress\.local)$/.test(host.host))
      return true
    },
  },
  {
    name: "an authority that is taken is what new URL makes of it",
    short: 20_000,
    check(random) {
      const text = `${makeHost(random)}${random.pick(["", ":443", ":80", ":1", ":65535", ":65536", ":0443", ":", ": 80", ":4\u0664"])}`
      const authority = parseAuthority(text)
      if (authority.kind === "bad") return false
      const url = URL.parse(`ftp://${text}/`)
      expectSame(
        `host of ${JSON.stringify(text)}`,
        URL.parse(`https://${text}/`)?.hostname.replace(/\.$/, ""),
        authority.host,
      )
      expectSame("user", url?.username, "")
      expectSame("port", url?.port, authority.port === undefined || authority.port === 21 ? "" : String(authority.port))
      return true
    },
  },
  {
    name: "a path that is taken is sent byte for byte, and stays where it is however it is decoded",
    short: 20_000,
    check(random) {
      const target = makeTarget(random)
      const path = canonicalPath(target)
      if (path.kind === "bad") return false
      const url = new URL(`https://host.test${target}`)
      expectSame("path", url.pathname, path.wirePath)
      expectSame("query", url.search.replace(/^\?/, ""), path.query)
      expectSame("wire", path.wire, target)
      expectSame("ambiguity", findAmbiguity(path.path), undefined)
      for (let text = path.wirePath, round = 0; round < 3; round++) {
        const plain = foldSlashes(text).replaceAll("\\", "/")
        expectTrue(`dot segments in ${plain}`, !/\/\.{1,2}(?:[/;]|$)|\/\//.test(plain))
        try {
          text = decodeURIComponent(text.replaceAll("%25", "%2525"))
        } catch {
          break
        }
      }
      return true
    },
  },
]

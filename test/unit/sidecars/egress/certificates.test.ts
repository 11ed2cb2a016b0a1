import { describe, expect, test } from "bun:test"
import { X509Certificate } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createLeafMinter, mintCa } from "../../../../sidecars/egress/certificates.ts"
import { integer, oid, sequence, time } from "../../../../sidecars/egress/der.ts"
import { createAuthority } from "../../../support/tls/authority.ts"

function runOpenssl(args: string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["openssl", ...args])
  return `${exitCode} ${stdout}${stderr}`
}

describe("DER", () => {
  test.each([
    [integer(Buffer.from([0])), "020100"],
    [integer(Buffer.from([0, 0, 0x7f])), "02017f"],
    [integer(Buffer.from([0x80])), "02020080"],
    [oid("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"],
    [time(new Date("2049-12-31T23:59:59Z")), `170d${Buffer.from("491231235959Z").toString("hex")}`],
    [time(new Date("2050-01-01T00:00:00Z")), `180f${Buffer.from("20500101000000Z").toString("hex")}`],
    [sequence(Buffer.alloc(200)).subarray(0, 3), "3081c8"],
    [sequence(Buffer.alloc(300)).subarray(0, 4), "3082012c"],
  ])("case %#", (element, hex) => {
    expect(element.toString("hex")).toBe(hex)
  })
})

describe("certificates", () => {
  test.each(["api.test", "127.0.0.1", "[2001:db8::1]", `${"long-label.".repeat(12)}test`])(
    "for %s satisfy OpenSSL in its strict mode",
    (host) => {
      const place = mkdtempSync(join(tmpdir(), "egress-certificates-"))
      const authority = createAuthority("slug-x")
      writeFileSync(join(place, "ca.pem"), authority.cert)
      writeFileSync(join(place, "leaf.pem"), authority.issue(host).cert)
      const bare = host.replace(/^\[|\]$/g, "")
      const name = /^[\d.]+$|:/.test(bare) ? ["-verify_ip", bare] : ["-verify_hostname", bare]
      const said = runOpenssl([
        ...["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", join(place, "ca.pem"), ...name],
        join(place, "leaf.pem"),
      ])
      rmSync(place, { recursive: true })
      expect(said).toBe(`0 ${join(place, "leaf.pem")}: OK\n`)
    },
  )

  test("of two bottles do not vouch for each other", () => {
    const leaf = new X509Certificate(createAuthority("a").issue("api.test").cert)
    expect(leaf.verify(new X509Certificate(mintCa("a").cert).publicKey)).toBe(false)
  })

  test("of an authority sign leaves only", () => {
    const { cert } = mintCa("a")
    const parsed = new X509Certificate(cert)
    expect(parsed.ca).toBe(true)
    expect(parsed.subject).toContain("bottle a")
    expect(parsed.checkIssued(parsed)).toBe(true)
  })

  test("are made once a host, as long as they are among the last ones", () => {
    const contextFor = createLeafMinter(mintCa("a"), 2)
    const first = contextFor("a.test")
    expect(contextFor("a.test")).toBe(first)
    contextFor("b.test")
    contextFor("c.test")
    expect(contextFor("a.test")).not.toBe(first)
  })
})

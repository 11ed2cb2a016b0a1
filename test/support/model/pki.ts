import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** A throw-away certificate authority in a directory of the test's own. */
export interface TestAuthority {
  /** PEM text and file of the authority's certificate. */
  cert: string
  certFile: string
  /** A leaf for these names (DNS names or IPv4 addresses), as PEM texts. */
  issue(...names: string[]): { cert: string; key: string }
}

/** Make an authority with the system's openssl. Throws with openssl's words when it fails. */
export function makeAuthority(directory: string): TestAuthority {
  mkdirSync(directory, { recursive: true })
  const file = (name: string) => join(directory, name)
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  openssl(
    "req",
    "-x509",
    ...curve,
    "-keyout",
    file("ca.key"),
    "-out",
    file("ca.crt"),
    "-days",
    "2",
    "-subj",
    "/CN=test authority",
  )
  let serial = 0
  return {
    cert: readFileSync(file("ca.crt"), "utf8"),
    certFile: file("ca.crt"),
    issue: (...names) => {
      serial += 1
      const leaf = (suffix: string) => file(`leaf-${serial}.${suffix}`)
      const alternatives = names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`))
      const extensions = ["basicConstraints=critical,CA:false", `subjectAltName=${alternatives.join(",")}`]
      writeFileSync(leaf("ext"), `${extensions.join("\n")}\n`)
      openssl("req", ...curve, "-keyout", leaf("key"), "-out", leaf("csr"), "-subj", "/CN=test leaf")
      const authority = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-set_serial", String(serial)]
      openssl(
        "x509",
        "-req",
        "-in",
        leaf("csr"),
        ...authority,
        "-days",
        "2",
        "-extfile",
        leaf("ext"),
        "-out",
        leaf("crt"),
      )
      return { cert: readFileSync(leaf("crt"), "utf8"), key: readFileSync(leaf("key"), "utf8") }
    },
  }
}

function openssl(...args: string[]): void {
  const run = Bun.spawnSync(["openssl", ...args], { stdin: "ignore", stdout: "ignore", stderr: "pipe" })
  if (run.exitCode !== 0) throw new Error(`openssl ${args[0]}: ${run.stderr.toString()}`)
}

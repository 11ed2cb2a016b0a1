import { createPrivateKey, generateKeyPairSync } from "node:crypto"
import { issuerOf, mintCa, mintLeaf } from "../../../sidecars/egress/certificates.ts"

export interface Authority {
  /** PEM. */
  cert: string
  key: string
  issue(host: string): { cert: string; key: string }
}

/** A certificate authority of the test's own, with leaves for any host. */
export function createAuthority(name = "test"): Authority {
  const ca = mintCa(name)
  const signer = createPrivateKey(ca.key)
  const issuer = issuerOf(ca.cert)
  return {
    ...ca,
    issue(host) {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
      const cert = mintLeaf({ host, issuer, signer, publicKey })
      return { cert, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() }
    },
  }
}

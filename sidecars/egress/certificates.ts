import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto"
import { isIP } from "node:net"
import { createSecureContext, type SecureContext } from "node:tls"
import { bits, implicit, integer, octets, oid, pem, sequence, set, tagged, time, truth, utf8 } from "./der.ts"

export interface CertificatePair {
  /** PEM. */
  cert: string
  /** PKCS #8 PEM. */
  key: string
}

/** Gives the TLS context with which to answer as a host. */
export type ContextFor = (host: string) => SecureContext

const day = 86_400_000
const organisation = "bot-bottle"
const ecdsaSha256 = sequence(oid("1.2.840.10045.4.3.2"))
const ids = {
  commonName: "2.5.4.3",
  organisation: "2.5.4.10",
  subjectKey: "2.5.29.14",
  keyUsage: "2.5.29.15",
  altName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKey: "2.5.29.35",
  extendedUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const

/**
 * Make the certificate authority of one bottle: P-256, signs leaves only (`pathlen:0`). It carries no name
 * constraints, because routes are added while the agent runs and clients enforce them (SECURITY 20).
 */
export function mintCa(slug: string, now: Date = new Date()): CertificatePair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const name = distinguishedName(`bottle ${slug}`)
  const cert = signCertificate({
    subject: name,
    issuer: name,
    publicKey,
    signer: privateKey,
    from: new Date(now.getTime() - day),
    until: new Date(now.getTime() + 730 * day),
    extensions: [
      extension(ids.basicConstraints, true, sequence(truth(), integer(Buffer.from([0])))),
      extension(ids.keyUsage, true, bits(Buffer.from([0x06]), 1)),
      extension(ids.subjectKey, false, octets(keyId(publicKey))),
    ],
  })
  return { cert: pem("CERTIFICATE", cert), key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() }
}

/**
 * A minter of leaf certificates: one key for all leaves of this process (0.05 ms a leaf, measured), the last `limit`
 * hosts' contexts kept. `host` is canonical (IPv6 in brackets).
 */
export function createLeafMinter(ca: CertificatePair, limit = 512): ContextFor {
  const leaf = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const leafKey = leaf.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  const signer = createPrivateKey(ca.key)
  const issuer = issuerOf(ca.cert)
  const contexts = new Map<string, SecureContext>()
  return (host) => {
    const known = contexts.get(host)
    if (known !== undefined) {
      contexts.delete(host)
      contexts.set(host, known)
      return known
    }
    const cert = mintLeaf({ host, issuer, signer, publicKey: leaf.publicKey })
    // With the whole chain at hand OpenSSL does not look for it in the system's directories at every handshake.
    const context = createSecureContext({ key: leafKey, cert: cert + ca.cert })
    contexts.set(host, context)
    const oldest = contexts.keys().next().value
    if (contexts.size > limit && oldest !== undefined) contexts.delete(oldest)
    return context
  }
}

/** A leaf for one host with a key of its own, for a server that takes PEM. */
export function issueLeaf(ca: CertificatePair, host: string): CertificatePair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const cert = mintLeaf({ host, issuer: issuerOf(ca.cert), signer: createPrivateKey(ca.key), publicKey })
  return { cert, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() }
}

export interface Issuer {
  name: Buffer
  keyId: Buffer
}

/** The subject and key of our own CA certificate, found by re-encoding what `mintCa` writes. */
export function issuerOf(certPem: string): Issuer {
  const parsed = new X509Certificate(certPem)
  const commonName = /^CN=(.*)$/m.exec(parsed.subject)?.[1]
  if (commonName === undefined) throw new Error("the CA certificate has no common name")
  return { name: distinguishedName(commonName), keyId: keyId(parsed.publicKey) }
}

/** One leaf for one host, valid 397 days, as PEM. */
export function mintLeaf(spec: {
  host: string
  issuer: Issuer
  signer: KeyObject
  publicKey: KeyObject
  now?: Date
}): string {
  const now = (spec.now ?? new Date()).getTime()
  const cert = signCertificate({
    // A common name holds 64 characters at most; the alternative name is what clients check.
    subject: distinguishedName(spec.host.length <= 64 ? spec.host : "a long name"),
    issuer: spec.issuer.name,
    publicKey: spec.publicKey,
    signer: spec.signer,
    from: new Date(now - day),
    until: new Date(now + 396 * day),
    extensions: [
      extension(ids.basicConstraints, true, sequence()),
      extension(ids.keyUsage, true, bits(Buffer.from([0x80]), 7)),
      extension(ids.extendedUsage, false, sequence(oid(ids.serverAuth))),
      extension(ids.altName, false, sequence(alternativeName(spec.host))),
      extension(ids.subjectKey, false, octets(keyId(spec.publicKey))),
      extension(ids.authorityKey, false, sequence(implicit(0, spec.issuer.keyId))),
    ],
  })
  return pem("CERTIFICATE", cert)
}

function signCertificate(spec: {
  subject: Buffer
  issuer: Buffer
  publicKey: KeyObject
  signer: KeyObject
  from: Date
  until: Date
  extensions: Buffer[]
}): Buffer {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaSha256,
    spec.issuer,
    sequence(time(spec.from), time(spec.until)),
    spec.subject,
    exportKey(spec.publicKey),
    tagged(3, sequence(...spec.extensions)),
  )
  return sequence(body, ecdsaSha256, bits(sign("sha256", body, spec.signer)))
}

const exportKey = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" })

/** SHA-1 of the key's bits, as RFC 5280 §4.2.1.2 proposes: the last 65 bytes of a P-256 key's encoding. */
const keyId = (key: KeyObject): Buffer => createHash("sha1").update(exportKey(key).subarray(-65)).digest()

function distinguishedName(commonName: string): Buffer {
  const attribute = (type: string, value: string) => set(sequence(oid(type), utf8(value)))
  return sequence(attribute(ids.organisation, organisation), attribute(ids.commonName, commonName))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return critical ? sequence(oid(id), truth(), octets(value)) : sequence(oid(id), octets(value))
}

function alternativeName(host: string): Buffer {
  const bare = host.replace(/^\[|\]$/g, "")
  return isIP(bare) === 0 ? implicit(2, Buffer.from(host, "latin1")) : implicit(7, addressBytes(bare))
}

/** The 4 or 16 bytes of an address. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number))
  const [head = "", tail] = address.replace(/%.*$/, "").split("::")
  const groups = (text: string) => (text === "" ? [] : text.split(":").flatMap(groupBytes))
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  return Buffer.from([...front, ...new Array<number>(16 - front.length - back.length).fill(0), ...back])
}

function groupBytes(group: string): number[] {
  if (group.includes(".")) return group.split(".").map(Number)
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 0xff]
}

import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs"
import { dirname, join } from "node:path"
import { bind, type Part } from "./boundary.ts"

/** Directories beside /usr that hold programs; links on a merged-/usr system, real ones elsewhere. */
const programRoots = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]
/** Toolchains outside /usr that hold programs and nothing of a person's. */
const toolchains = ["/nix/store", "/gnu/store"]
/** Shown entry by entry, so that an agent's own CLI and binds can stand beside what the host has there. */
const optional = "/opt"

/**
 * Settings of the system that programs need to run, and that say nothing about this host or its people. Each is a
 * mount, and a mount costs a tenth of a millisecond at every launch: what only refines a default is left out.
 */
const sharedSettings = [
  "ld.so.cache",
  "alternatives",
  "localtime",
  "mime.types",
  "protocols",
  "services",
  "bash.bashrc",
  "profile",
  "inputrc",
  "os-release",
  "fonts",
  "crypto-policies",
  "ssl/openssl.cnf",
  "pki/tls/openssl.cnf",
]

/** Java keeps the settings that its programs under /usr point at in a folder a version. */
const javaSettings = /^java-\d+-openjdk$/

/** Where systems keep the bundle of trusted certificates. */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/ssl/cert.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
]

/** The host's programs, read-only: the same for every boundary. */
export function programParts(): Part[] {
  return [
    bind("/usr"),
    ...programRoots.flatMap(linkOrBind),
    ...optionalParts(),
    ...toolchains.filter((path) => existsSync(path)).map((path) => bind(path)),
  ]
}

function optionalParts(): Part[] {
  if (!existsSync(optional)) return []
  return readdirSync(optional).flatMap((name) => linkOrBind(join(optional, name)))
}

function linkOrBind(path: string): Part[] {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  return found.isSymbolicLink() ? [{ kind: "symlink", to: readlinkSync(path), target: path }] : [bind(path)]
}

/** The harmless part of /etc. What is a link into /usr stays one. */
export function settingParts(): Part[] {
  const names = [...sharedSettings, ...readdirSync("/etc").filter((name) => javaSettings.test(name))]
  return names
    .map((name) => `/etc/${name}`)
    .filter((path) => existsSync(path))
    .map((path): Part => {
      const real = realpathSync(path)
      return real.startsWith("/usr/") ? { kind: "symlink", to: real, target: path } : bind(real, path)
    })
}

/** Every place where a program looks for the system's certificates leads to the bottle's own. */
export function certificateLinks(ca: string): Part[] {
  const [usual, ...others] = bundles
  const present = others.filter((path) => existsSync(path))
  return [usual, ...present].flatMap((path): Part[] =>
    path === undefined ? [] : [{ kind: "symlink", to: ca, target: path }],
  )
}

/** What the sidecars need to reach and verify upstreams: certificates, resolver, host names. */
export function networkParts(): Part[] {
  const places = [
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
  ]
  const files = ["/etc/hosts", "/etc/nsswitch.conf"]
  return [
    ...[...places, ...files].filter((path) => existsSync(path)).map((path) => bind(realpathSync(path), path)),
    ...resolverParts(),
  ]
}

/**
 * A resolver file that is a link is replaced as the network changes, so the directory that it lies in is shown: a
 * bind of the file alone would keep the old one.
 */
function resolverParts(): Part[] {
  const path = "/etc/resolv.conf"
  if (!existsSync(path)) return []
  if (!lstatSync(path).isSymbolicLink()) return [bind(path)]
  const real = realpathSync(path)
  return [bind(dirname(real)), { kind: "symlink", to: real, target: path }]
}

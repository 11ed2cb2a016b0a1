import { createHash } from "node:crypto"
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import type { Member } from "../../../src/bottle/freeze/archive.ts"
import type { FreezeManifest } from "../../../src/bottle/freeze/manifest.ts"
import type { Place } from "../place.ts"

export type Listed = Member & { tree: string }

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex")

/** A bottle's freeze as it lies on disk. */
export function readFrozen(place: Place, slug: string) {
  const dir = join(place.botHome, "state", slug, "freeze")
  const manifest = JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8")) as FreezeManifest
  const text = readFileSync(join(dir, "files.jsonl"))
  const listed = text
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Listed)
  return { dir, manifest, listed, listSum: sha256(text) }
}

/** Hashes and links below a directory, by name as bytes in latin1; not where names grow longer than a call takes. */
export function readTree(root: string, longest = 3_900): Map<string, string> {
  const found = new Map<string, string>()
  const walk = (below: string) => {
    for (const entry of readdirSync(Buffer.from(join(root, below), "latin1"), { encoding: "buffer" })) {
      const name = join(below, entry.toString("latin1"))
      if (root.length + name.length > longest) continue
      const path = Buffer.from(join(root, name), "latin1")
      const look = lstatSync(path)
      if (look.isDirectory()) {
        found.set(name, "dir")
        walk(name)
      } else if (look.isSymbolicLink()) found.set(name, `to ${readlinkSync(path)}`)
      else if (look.isFile()) found.set(name, look.size > 2 ** 30 ? `size ${look.size}` : sha256(readFileSync(path)))
      else found.set(name, "other")
    }
  }
  walk("")
  return found
}

/** The bytes of a listed name, in latin1. */
export const nameOf = ({ path, raw }: Member): string => Buffer.from(path, raw ? "base64" : "utf8").toString("latin1")

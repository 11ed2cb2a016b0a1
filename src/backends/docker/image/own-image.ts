import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { Readable } from "node:stream"
import { BottleError } from "../../../lib/errors.ts"
import { ownEtc } from "../container/etc.ts"
import { type Engine, engineSaid, unlessMissing } from "../engine.ts"
import { roleLabel } from "../names.ts"
import { packTexts, padding, tarEnd, tarHeader } from "../trees/tar-write.ts"
import type { ImagePart } from "./binary-parts.ts"
import { contentOf, hashParts } from "./part-content.ts"

/** Changed when what is in the image changes otherwise than by its parts. */
const layout = "1"
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const

export interface OwnImage {
  /** The engine's id. */
  id: string
  /** Short hash of everything in it. */
  digest: string
}

/**
 * The image that the binary makes of itself: the binary with its loader and libraries, this machine's authorities,
 * a few small files, and nothing else. It is sent once and found again by the hash of its content. `noteDir`, a private
 * directory, is where hashes of files are noted.
 */
export async function ensureOwnImage(engine: Engine, parts: readonly ImagePart[], noteDir: string): Promise<OwnImage> {
  const texts = textParts()
  const digest = digestOf(hashParts(parts, noteDir), texts)
  const name = `bot-bottle/own:${digest}`
  const known = await unlessMissing(engine.getImage(name).inspect())
  if (known !== undefined) return { id: known.Id, digest }
  const stream = await engine.importImage(Readable.from(imageTar(parts, texts)), {
    ...{ repo: "bot-bottle/own", tag: digest },
    changes: `LABEL ${roleLabel}=own-image`,
  })
  await readProgress(stream as Readable)
  const made = await unlessMissing(engine.getImage(name).inspect())
  if (made === undefined) throw importFailed("it is not there afterwards")
  await removeOutdated(engine, digest)
  return { id: made.Id, digest }
}

/** Images and volumes of earlier builds go when a new one comes; the engine keeps those that are in use. */
async function removeOutdated(engine: Engine, digest: string): Promise<void> {
  const images = await engine.listImages({ filters: { reference: ["bot-bottle/own"] } })
  const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => !tag.endsWith(`:${digest}`))
  await Promise.all(
    tags.map((tag) =>
      engine
        .getImage(tag)
        .remove()
        .catch(() => undefined),
    ),
  )
  const { Volumes } = await engine.listVolumes({ filters: { label: [`${roleLabel}=binary`] } })
  const names = (Volumes ?? []).map(({ Name }) => Name).filter((name) => !name.endsWith(`-${digest}`))
  await Promise.all(
    names.map((name) =>
      engine
        .getVolume(name)
        .remove()
        .catch(() => undefined),
    ),
  )
}

/** An import tells of its failure in its progress only. */
async function readProgress(stream: Readable): Promise<void> {
  let text = ""
  try {
    for await (const chunk of stream) text += chunk
  } catch (error) {
    throw importFailed(engineSaid(error))
  }
  const failed = /"error":"((?:[^"\\]|\\.)*)"/.exec(text)
  if (failed !== null) throw importFailed(failed[1] ?? "no reason given")
}

function importFailed(why: string): BottleError {
  return new BottleError(`the engine did not take bottle's own image: ${why.slice(0, 300)}`, {
    code: "docker-image",
    exit: "failed",
    hint: "bottle doctor shows what the engine lacks",
  })
}

function textParts(): Record<string, string> {
  const bundle = bundles.find((path) => existsSync(path))
  return {
    "etc/passwd": "root:x:0:0::/:/nonexistent\nnode:x:1000:1000::/home/node:/nonexistent\n",
    "etc/group": "root:x:0:\nnode:x:1000:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
    ...ownEtc,
    ...(bundle === undefined ? {} : { "etc/ssl/certs/ca-certificates.crt": readFileSync(bundle, "utf8") }),
  }
}

function digestOf(parts: string, texts: Readonly<Record<string, string>>): string {
  const whole = createHash("sha256").update(layout).update(parts)
  for (const [path, text] of Object.entries(texts)) whole.update(`${path}\0${text}\0`)
  return whole.digest("hex").slice(0, 20)
}

function* imageTar(parts: readonly ImagePart[], texts: Readonly<Record<string, string>>): Generator<Buffer> {
  const common = { uid: 0, gid: 0, mtime: 0 }
  yield tarHeader({ ...common, path: "tmp/", kind: "dir", mode: 0o1777, size: 0 })
  for (const part of parts) {
    yield tarHeader({ ...common, path: part.path, kind: "file", mode: part.mode, size: part.size })
    yield* contentOf(part)
    yield padding(part.size)
  }
  yield* packTexts(texts)
  yield tarEnd
}

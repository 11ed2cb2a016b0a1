import { createHash } from "node:crypto"
import { lstatSync, readdirSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import { BottleError } from "../../../lib/errors.ts"
import { packFile } from "../trees/pack.ts"
import { packTexts, tarEnd, tarHeader } from "../trees/tar-write.ts"

const mostFiles = 20_000
const mostBytes = 512 * 1024 * 1024
const common = { uid: 0, gid: 0, mtime: 0, size: 0 }
/** In an archive beside whatever is in the folder. */
export const dockerfileName = ".bot-bottle.dockerfile"

/**
 * What is sent to the engine for a build: the Dockerfile, and the folder's files where there is one. Links stay links,
 * nothing but files, folders and links is sent, and neither what git keeps there. Times are left out: the same files
 * make the same archive.
 */
export function* packContext(dir: string | undefined, dockerfile: string): Generator<Buffer> {
  if (dir !== undefined) yield* packBelow(dir, "", { files: 0, bytes: 0 })
  yield* packTexts({ [dockerfileName]: dockerfile })
  yield tarEnd
}

/** The hash of a folder as it would be sent; "" for none. */
export function digestContext(dir: string | undefined): string {
  if (dir === undefined) return ""
  const whole = createHash("sha256")
  for (const chunk of packBelow(dir, "", { files: 0, bytes: 0 })) whole.update(chunk)
  return whole.digest("hex")
}

function* packBelow(dir: string, below: string, count: { files: number; bytes: number }): Generator<Buffer> {
  for (const entry of readdirSync(join(dir, below)).sort()) {
    if (entry === ".git" || (below === "" && entry === dockerfileName)) continue
    const path = below === "" ? entry : `${below}/${entry}`
    const look = lstatSync(join(dir, path))
    count.files += 1
    count.bytes += look.isFile() ? look.size : 0
    if (count.files > mostFiles || count.bytes > mostBytes) throw tooMuch(dir)
    const mode = look.mode & 0o777
    if (look.isDirectory()) {
      yield tarHeader({ ...common, path: `${path}/`, kind: "dir", mode })
      yield* packBelow(dir, path, count)
    } else if (look.isSymbolicLink()) {
      yield tarHeader({ ...common, path, kind: "link", mode, linkTo: readlinkSync(join(dir, path)) })
    } else if (look.isFile()) {
      yield* packFile(join(dir, path), { ...common, path, kind: "file", mode })
    }
  }
}

function tooMuch(dir: string): BottleError {
  return new BottleError(`${dir} is too much to send to the engine for a build`, {
    code: "docker-context",
    exit: "badManifest",
    hint: `at most ${mostFiles} files and ${mostBytes / 1024 ** 2} MB: give the Dockerfile a folder of its own`,
  })
}

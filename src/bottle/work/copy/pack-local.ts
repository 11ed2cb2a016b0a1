import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs"
import { join } from "node:path"
import { padding, tarEnd, tarHeader } from "../../../backends/docker/trees/tar-write.ts"
import { BottleError } from "../../../lib/errors.ts"

const chunkBytes = 256 * 1024
/** Inside. */
const owner = { uid: 1000, gid: 1000 }

/**
 * A file or directory of the operator's as an archive under one name: files, directories and links as links. Set-id bits,
 * devices, pipes and sockets stay behind. Throws `BottleError` for what is not there or may not be read.
 */
export function* packLocal(path: string, name: string): Generator<Buffer> {
  try {
    yield* packOne(path, name)
  } catch (error) {
    if (error instanceof BottleError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    throw new BottleError(code === "ENOENT" ? `${path} is not there` : `${path} cannot be copied: ${message}`, {
      code: "no-such-file",
      exit: code === "ENOENT" ? "notFound" : "failed",
      cause: error,
    })
  }
  yield tarEnd
}

function* packOne(path: string, name: string): Generator<Buffer> {
  const look = lstatSync(path)
  const common = { ...owner, path: name, mode: look.mode & 0o777, size: 0, mtime: Math.floor(look.mtimeMs / 1000) }
  if (look.isSymbolicLink()) yield tarHeader({ ...common, kind: "link", linkTo: readlinkSync(path) })
  else if (look.isDirectory()) {
    yield tarHeader({ ...common, path: `${name}/`, kind: "dir" })
    for (const entry of readdirSync(path).sort()) yield* packOne(join(path, entry), `${name}/${entry}`)
  } else if (look.isFile()) yield* packFile(path, common)
}

/** What it lacks of its announced size at the end is filled with zeros. */
function* packFile(path: string, common: Omit<Parameters<typeof tarHeader>[0], "kind">): Generator<Buffer> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { size } = fstatSync(fd)
    yield tarHeader({ ...common, size, kind: "file" })
    for (let at = 0; at < size; ) {
      const chunk = Buffer.alloc(Math.min(chunkBytes, size - at))
      const got = readSync(fd, chunk, 0, chunk.length, at)
      yield got === 0 ? chunk : chunk.subarray(0, got)
      at += got === 0 ? chunk.length : got
    }
    yield padding(size)
  } finally {
    closeSync(fd)
  }
}

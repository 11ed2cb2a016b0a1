import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  lutimesSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs"
import { join } from "node:path"
import { padding, type TarMember, tarHeader } from "./tar-write.ts"

const chunkBytes = 256 * 1024

export interface Packing {
  uid: number
  gid: number
  /** What the archive's names begin with, without slashes at the ends. */
  root: string
}

/**
 * A tree of the host's as members of an archive, everything in it owned by the given user. The tree itself is its first member,
 * named from further up: an engine leaves the owner of the directory that it unpacks into as it was. Links
 * stay links, set-id bits and devices stay behind. Nothing of the bottle runs while it is read. Times lose what is
 * below a second, here and in the tree itself, so that it can be compared with what comes back from an engine.
 */
export function* packTree(dir: string, packing: Packing): Generator<Buffer> {
  const { root, ...owner } = packing
  const look = lstatSync(dir)
  const mtime = seconds(look.mtimeMs)
  yield tarHeader({ ...owner, path: `${root}/`, kind: "dir", mode: look.mode & 0o777, size: 0, mtime })
  yield* packBelow(dir, "", packing)
}

function* packBelow(dir: string, below: string, packing: Packing): Generator<Buffer> {
  const { root, ...owner } = packing
  for (const entry of readdirSync(join(dir, below)).sort()) {
    const inner = below === "" ? entry : `${below}/${entry}`
    const path = join(dir, inner)
    const name = `${root}/${inner}`
    const look = lstatSync(path)
    const mtime = seconds(look.mtimeMs)
    const common = { ...owner, path: name, mode: look.mode & 0o777, size: 0, mtime }
    if (look.isDirectory()) {
      yield tarHeader({ ...common, path: `${name}/`, kind: "dir" })
      yield* packBelow(dir, inner, packing)
    } else if (look.isSymbolicLink()) {
      yield tarHeader({ ...common, kind: "link", linkTo: readlinkSync(path) })
    } else if (look.isFile()) {
      yield* packFile(path, { ...common, kind: "file" })
    }
    lutimesSync(path, mtime, mtime)
  }
  if (below === "") {
    const mtime = seconds(lstatSync(dir).mtimeMs)
    lutimesSync(dir, mtime, mtime)
  }
}

/** One file; what it lacks of its announced size at the end is filled with zeros. */
export function* packFile(path: string, member: Omit<TarMember, "size">): Generator<Buffer> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { size } = fstatSync(fd)
    yield tarHeader({ ...member, size })
    for (let at = 0; at < size; ) {
      const chunk = Buffer.alloc(Math.min(chunkBytes, size - at))
      const got = readSync(fd, chunk, 0, chunk.length, at)
      const piece = got === 0 ? chunk : chunk.subarray(0, got)
      yield piece
      at += piece.length
    }
    yield padding(size)
  } finally {
    closeSync(fd)
  }
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)

import {
  closeSync,
  constants,
  copyFileSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { padding, tarEnd, tarHeader } from "../../../backends/docker/trees/tar-write.ts"
import { BottleError } from "../../../lib/errors.ts"
import type { ByteSink } from "../../../lib/stdio.ts"
import type { BottleTrees } from "../open-workspace.ts"
import { readTree } from "../read-tree.ts"
import { insidePath } from "./inside-path.ts"
import { type LeftOut, type OutLimits, type OutMember, type OutSink, readMembers } from "./members.ts"

export interface TakenOut extends LeftOut {
  /** Where it is now; undefined: it went into a stream. */
  to: string | undefined
  files: number
  dirs: number
  bytes: number
}

const umask = (): number => process.umask()

/**
 * Copy a file or directory out of a bottle, as `cp -r` would: into `target` if that is a directory, else to that name.
 * Nothing is replaced without `force`, and no link that lies in the way is followed. Throws `BottleError`.
 */
export async function takeOut(
  trees: BottleTrees,
  path: string,
  target: string,
  options: { force: boolean; limits: OutLimits },
): Promise<TakenOut> {
  const { tree, inner } = insidePath(path, trees.plan)
  const to = destination(target, basename(inner) || tree)
  const count = { files: 0, dirs: 0, bytes: 0 }
  const writer = fileWriter(to, options.force, count)
  try {
    const left = await readTree(trees, tree, inner, (read) => readMembers(read, writer, options.limits))
    if (count.files + count.dirs === 0) throw nothingCopied(path, left)
    return { ...left, ...count, to }
  } finally {
    writer.discard()
  }
}

/** The same as an archive with nothing in it but files and directories. */
export async function streamOut(trees: BottleTrees, path: string, out: ByteSink, limits: OutLimits): Promise<TakenOut> {
  const { tree, inner } = insidePath(path, trees.plan)
  const count = { files: 0, dirs: 0, bytes: 0 }
  const left = await readTree(trees, tree, inner, (read) =>
    readMembers(read, tarWriter(basename(inner) || tree, out, count), limits),
  )
  await out.write(tarEnd)
  return { ...left, ...count, to: undefined }
}

/** The operator's own word: a link of theirs that they name is followed, none below it is. */
function destination(target: string, name: string): string {
  const isDirectory = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true
  const to = isDirectory ? join(resolve(target), name) : resolve(target)
  if (
    !isDirectory &&
    (target.endsWith("/") || statSync(dirname(to), { throwIfNoEntry: false })?.isDirectory() !== true)
  ) {
    throw new BottleError(`${target.endsWith("/") ? target : dirname(to)} is no directory`, {
      code: "no-directory",
      exit: "notFound",
      hint: "make it first",
    })
  }
  return to
}

type Count = { files: number; dirs: number; bytes: number }

function fileWriter(to: string, force: boolean, count: Count): OutSink & { discard(): void } {
  let open: { fd: number; path: string; temporary: string | undefined; mtime: number } | undefined
  const placeOf = (path: string) => (path === "" ? to : join(to, path))
  return {
    /** What was being written when something went wrong. */
    discard() {
      if (open === undefined) return
      closeSync(open.fd)
      rmSync(open.temporary ?? open.path, { force: true })
      open = undefined
    },
    begin(member) {
      const path = placeOf(member.path)
      if (member.kind === "dir") {
        count.dirs += 1
        return makeDirectory(path, member, force)
      }
      count.files += 1
      const there = lstatSync(path, { throwIfNoEntry: false })
      if (there !== undefined && (!force || there.isDirectory())) throw inTheWay(path, there.isDirectory())
      const temporary = there === undefined ? undefined : `${path}.bottle-${process.pid}`
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
      const fd = openSync(temporary ?? path, flags, (member.mode & ~umask()) | 0o600)
      open = { fd, path, temporary, mtime: member.mtime }
    },
    bytes(chunk) {
      for (let at = 0; open !== undefined && at < chunk.length; ) at += writeSync(open.fd, chunk, at)
      count.bytes += chunk.length
      return undefined
    },
    end() {
      if (open === undefined) return
      futimesSync(open.fd, open.mtime, open.mtime)
      closeSync(open.fd)
      // What is replaced is the name, whatever it was: a link in its place leads nowhere.
      if (open.temporary !== undefined) renameSync(open.temporary, open.path)
      open = undefined
    },
    again(path, of) {
      const there = lstatSync(placeOf(path), { throwIfNoEntry: false })
      if (there !== undefined && (!force || there.isDirectory())) throw inTheWay(placeOf(path), there.isDirectory())
      rmSync(placeOf(path), { force: true })
      copyFileSync(placeOf(of), placeOf(path), constants.COPYFILE_EXCL)
      count.files += 1
    },
  }
}

function makeDirectory(path: string, member: OutMember, force: boolean): void {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) mkdirSync(path, { mode: (member.mode & ~umask()) | 0o700 })
  else if (!there.isDirectory() || (member.path === "" && !force)) throw inTheWay(path, false)
}

function tarWriter(root: string, out: ByteSink, count: Count): OutSink {
  let size = 0
  const send = (bytes: Uint8Array) => out.write(bytes)
  const head = (member: OutMember) => {
    const name = member.path === "" ? root : `${root}/${member.path}`
    const path = member.kind === "dir" ? `${name}/` : name
    void send(tarHeader({ ...member, path, uid: 0, gid: 0, size: member.kind === "dir" ? 0 : member.size }))
  }
  return {
    begin(member) {
      size = member.size
      if (member.kind === "file") count.files += 1
      else count.dirs += 1
      head(member)
    },
    bytes(chunk) {
      count.bytes += chunk.length
      return send(chunk)
    },
    end: () => void send(padding(size)),
  }
}

function nothingCopied(path: string, left: LeftOut): BottleError {
  const what = left.links > 0 ? "a link" : left.git > 0 ? "a .git" : "no file or directory"
  return new BottleError(`${JSON.stringify(path)} is ${what}, which is not copied out`, {
    code: "not-copied",
    exit: "failed",
    hint: left.git > 0 ? "commits come out with bottle pull" : "name what it points at",
  })
}

function inTheWay(path: string, isDirectory: boolean): BottleError {
  return new BottleError(`${path} is there already`, {
    code: "exists",
    exit: "failed",
    hint: isDirectory ? "a directory is not replaced by a file" : "--force replaces it; a link is never followed",
  })
}

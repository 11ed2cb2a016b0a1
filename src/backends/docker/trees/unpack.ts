import {
  chmodSync,
  closeSync,
  constants,
  futimesSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from "node:fs"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { type ReadMember, TarReader } from "./tar-read.ts"

/** More than this is not brought to the host; it stays where it is. */
const most = { members: 2_000_000, bytes: 32 * 1024 ** 3 }
/** Neither set-id nor anything else that means more than permission. */
const permissions = 0o777

/**
 * Write an archive that an agent's tree was packed into, below `dir`, which is new and empty. The first component of
 * each name is the tree's own. Nothing is followed: a member's directory must have come as a directory in the same
 * archive, every file is made new, links are made and never used. Devices and pipes are left out. Throws on a name
 * that leads out, on a member that comes twice, and past the limits; what was written by then stays.
 */
export async function unpackTree(archive: Readable, dir: string): Promise<{ left: number }> {
  const directories = new Map<string, ReadMember>([
    ["", { path: "", kind: "dir", mode: 0o700, size: 0, mtime: 0, linkTo: "" }],
  ])
  const files = new Set<string>()
  let current: { fd: number; mtime: number } | undefined
  let members = 0
  let bytes = 0
  let left = 0

  function begin(member: ReadMember): void {
    members += 1
    if (members > most.members) throw new Error("the tree has too many files")
    const name = innerName(member.path)
    if (name === "" && member.kind === "dir") {
      directories.set("", member)
      return
    }
    const parent = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : ""
    if (name === "" || !directories.has(parent))
      throw new Error(`${shown(member.path)} is in no directory of the archive`)
    const path = join(dir, name)
    switch (member.kind) {
      case "dir":
        mkdirSync(path, { mode: 0o700 })
        directories.set(name, member)
        return
      case "file":
        current = {
          fd: openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600),
          mtime: member.mtime,
        }
        chmodSync(path, member.mode & permissions)
        files.add(name)
        return
      case "link":
        symlinkSync(member.linkTo, path)
        lutimesSync(path, member.mtime, member.mtime)
        return
      case "hard-link": {
        const target = innerName(member.linkTo)
        if (!files.has(target)) throw new Error(`${shown(member.path)} is a link to what is no file of the archive`)
        linkSync(join(dir, target), path)
        files.add(name)
        return
      }
      case "other":
        left += 1
    }
  }

  const reader = new TarReader({
    begin,
    bytes(chunk) {
      bytes += chunk.length
      if (bytes > most.bytes) throw new Error("the tree is too large to be brought here")
      for (let at = 0; current !== undefined && at < chunk.length; ) at += writeSync(current.fd, chunk, at)
    },
    end() {
      if (current === undefined) return
      futimesSync(current.fd, current.mtime, current.mtime)
      closeSync(current.fd)
      current = undefined
    },
  })
  try {
    for await (const chunk of archive) reader.push(chunk as Buffer)
    reader.finish()
  } finally {
    if (current !== undefined) closeSync(current.fd)
  }
  // The deepest first: a mode may close the way to what lies below.
  for (const [name, member] of [...directories].reverse()) {
    chmodSync(join(dir, name), member.mode & permissions)
    lutimesSync(join(dir, name), member.mtime, member.mtime)
  }
  return { left }
}

/** The name below the tree's root, or an error for one that is not plainly below it. */
function innerName(path: string): string {
  const parts = path.replace(/^\.\//, "").replace(/\/+$/, "").split("/")
  if (
    path.startsWith("/") ||
    path.includes("\0") ||
    parts.some((part) => part === "" || part === "." || part === "..")
  ) {
    throw new Error(`${shown(path)} is not a name in a tree`)
  }
  return parts.slice(1).join("/")
}

const shown = (path: string): string => JSON.stringify(path.slice(0, 100))

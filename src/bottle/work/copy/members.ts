import { type ReadMember, TarReader } from "../../../backends/docker/trees/tar-read.ts"
import { BottleError } from "../../../lib/errors.ts"
import type { TreeArchive } from "../read-tree.ts"

/** A directory or a file on its way out. `path`: below what was asked for, "" for itself. */
export interface OutMember {
  path: string
  kind: "file" | "dir"
  mode: number
  size: number
  /** Seconds. */
  mtime: number
}

export interface OutSink {
  begin(member: OutMember): void
  bytes(chunk: Uint8Array): undefined | Promise<unknown>
  end(): void
  /** One more name of a file that came before; absent: it is left out as a link. */
  again?(path: string, of: string): void
}

export interface LeftOut {
  links: number
  /** Pipes, sockets, devices. */
  special: number
  /** Directories and files called .git: what is in them acts on whoever uses git there. */
  git: number
  /** Names with control characters. */
  odd: number
}

export interface OutLimits {
  bytes: number
  members: number
}

/**
 * What of an agent's archive may be written on this machine (SECURITY 8): plain files and directories below what was
 * asked for, each in a directory of the same archive. Links, devices and `.git` stay behind and are counted. Throws
 * `BottleError` for a name that leads out, and past the limits.
 */
export async function readMembers(
  { archive, prefix }: TreeArchive,
  sink: OutSink,
  limits: OutLimits,
): Promise<LeftOut> {
  const left: LeftOut = { links: 0, special: 0, git: 0, odd: 0 }
  const dirs = new Set<string>()
  const files = new Set<string>()
  let current = false
  let members = 0
  let bytes = 0
  let pending: Promise<unknown> = Promise.resolve()

  function begin(member: ReadMember): void {
    current = false
    const path = below(member.path, prefix)
    if (path === undefined) return
    members += 1
    if (members > limits.members) throw tooMuch(`more than ${limits.members} files`)
    const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ""
    if (isGit(path) || (path !== "" && isLeft.has(parent))) {
      left.git += isLeft.has(parent) ? 0 : 1
      isLeft.add(path)
      return
    }
    if (hasControls(path)) {
      left.odd += 1
      return
    }
    if (path !== "" && !dirs.has(parent)) {
      if (member.kind === "dir" || member.kind === "file") left.odd += 1
      return
    }
    const out = { path, mode: member.mode & 0o777, size: member.size, mtime: member.mtime }
    if (member.kind === "dir") {
      dirs.add(path)
      sink.begin({ ...out, kind: "dir" })
    } else if (member.kind === "file") {
      files.add(path)
      current = true
      sink.begin({ ...out, kind: "file" })
    } else if (member.kind === "link") left.links += 1
    else if (member.kind === "hard-link") {
      const of = below(member.linkTo, prefix)
      if (of === undefined || !files.has(of) || sink.again === undefined) left.links += 1
      else sink.again(path, of)
    } else left.special += 1
  }
  /** Below a .git, which are not counted one by one. */
  const isLeft = new Set<string>()

  const reader = new TarReader({
    begin,
    bytes(chunk) {
      if (!current) return
      bytes += chunk.length
      if (bytes > limits.bytes) throw tooMuch(`more than ${Math.round(limits.bytes / 2 ** 20)} MB`)
      const slow = sink.bytes(chunk)
      if (slow !== undefined) pending = slow
    },
    end() {
      if (current) sink.end()
      current = false
    },
  })
  for await (const chunk of archive) {
    reader.push(Buffer.from(chunk as Uint8Array))
    await pending
  }
  reader.finish()
  return left
}

/** Undefined: it is not part of what was asked for. Throws for a name that is not plainly one in a tree. */
function below(path: string, prefix: string): string | undefined {
  const name = path.replace(/^\.\//, "").replace(/\/+$/, "")
  if (
    name.startsWith("/") ||
    name.includes("\0") ||
    name.split("/").some((part) => part === "" || part === ".." || part === ".")
  )
    throw new BottleError(`the archive names ${JSON.stringify(path.slice(0, 100))}, which leads out of it`, {
      code: "bad-archive",
      exit: "integrity",
      hint: "nothing beyond what came before it was written",
    })
  if (name === prefix) return ""
  return name.startsWith(`${prefix}/`) ? name.slice(prefix.length + 1) : undefined
}

const hasControls = (path: string): boolean => /[\x00-\x1f\x7f-\x9f]/.test(path)
const isGit = (path: string): boolean => path.split("/").at(-1)?.toLowerCase() === ".git"

function tooMuch(what: string): BottleError {
  return new BottleError(`too much to copy: ${what}`, {
    code: "too-large",
    exit: "failed",
    hint: "raise it with --max-size, or copy a part",
  })
}

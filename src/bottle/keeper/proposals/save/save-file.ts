import { chmod, readFile, realpath, stat } from "node:fs/promises"
import { type Disk, replaceFile } from "../../../../lib/disk.ts"
import type { SavedEdit } from "../../../../proposals/grants.ts"
import { hashText } from "../../../../proposals/identity.ts"

/** Write an approval into a bottle's file; one that is there already stays. Throws when the file is not what was shown. */
export async function saveEdit(disk: Disk, edit: SavedEdit): Promise<void> {
  const { path, text } = await read(edit)
  const hash = hashText(text)
  if (hash === edit.after) return
  if (hash !== edit.before) throw new Error(`${edit.path} was changed since it was shown: nothing was written into it`)
  await replace(disk, path, `${text.slice(0, edit.at)}${edit.inserted}${text.slice(edit.at)}`)
}

/** Take it out again, if it stands there word for word and only once; returns whether it is out. */
export async function unsaveEdit(disk: Disk, edit: SavedEdit): Promise<boolean> {
  const { path, text } = await read(edit)
  if (hashText(text) === edit.before) return true
  const first = text.indexOf(edit.inserted)
  const isThere = text.slice(edit.at, edit.at + edit.inserted.length) === edit.inserted
  const here = isThere ? edit.at : first === text.lastIndexOf(edit.inserted) ? first : -1
  if (here === -1) return false
  await replace(disk, path, `${text.slice(0, here)}${text.slice(here + edit.inserted.length)}`)
  return true
}

/** Behind a link of the operator's own, which stays one. */
async function read(edit: SavedEdit): Promise<{ path: string; text: string }> {
  const path = await realpath(edit.path)
  return { path, text: await readFile(path, "utf8") }
}

async function replace(disk: Disk, path: string, text: string): Promise<void> {
  const { mode } = await stat(path)
  await replaceFile(disk, path, text)
  await chmod(path, mode & 0o7777)
}

import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises"
import { dirname, isAbsolute } from "node:path"
import type { GuestFile } from "./protocol.ts"

/**
 * Write provider files and the CA as the agent's user. Each is written beside its place and renamed, so that a file
 * of an earlier session, or a link in its place, is replaced and never written through.
 */
export async function writeGuestFiles(files: readonly GuestFile[]): Promise<void> {
  for (const [index, file] of files.entries()) {
    if (!isAbsolute(file.path)) throw new Error(`not an absolute path: ${file.path}`)
    await mkdir(dirname(file.path), { recursive: true })
    const draft = `${file.path}.new-${process.pid}-${index}`
    await rm(draft, { force: true })
    const content = file.base64 === true ? Buffer.from(file.content, "base64") : file.content
    await writeFile(draft, content, { mode: file.mode, flag: "wx" })
    // The mode of an open is cut by the umask.
    await chmod(draft, file.mode)
    await rename(draft, file.path)
  }
}

import { randomBytes } from "node:crypto"
import { open, readFile, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"

/**
 * Replace a file as a whole: a reader, or a crash at any instruction, sees the old content or the new, never a
 * part. Written 0600 (or `mode`) to a temporary name beside it, synced, renamed; then the directory is synced.
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`)
  try {
    const file = await open(temporary, "wx", mode)
    try {
      // open's mode passes the umask.
      await file.chmod(mode)
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDir(dirname(path))
}

/** `writeFileAtomic` of a value as indented JSON with a final newline. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`)
}

/** What became of reading a JSON file. `moved`: it did not parse and now lies at `movedTo`; show `warning` and go on. */
export type JsonRead =
  | { kind: "read"; value: unknown }
  | { kind: "missing" }
  | { kind: "moved"; movedTo: string; warning: string }

/**
 * Read a JSON file that a person or a crash may have damaged. One that does not parse is renamed to
 * `<name>.broken-<time>` so that it neither stops a listing nor is lost.
 */
export async function readJsonFile(path: string, now: () => Date = () => new Date()): Promise<JsonRead> {
  let text: string
  try {
    text = await readFile(path, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { kind: "missing" }
    throw error
  }
  try {
    return { kind: "read", value: JSON.parse(text) }
  } catch {
    const stamp = now().toISOString().replaceAll(/[:.]/g, "-")
    const movedTo = `${path}.broken-${stamp}`
    await rename(path, movedTo)
    return { kind: "moved", movedTo, warning: `${path} was not readable as JSON; moved to ${movedTo}` }
  }
}

async function syncDir(path: string): Promise<void> {
  const dir = await open(path, "r")
  try {
    await dir.sync()
  } catch (error) {
    // Some file systems cannot sync a directory; the rename itself has happened.
    if (!["EINVAL", "ENOTSUP", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error
  } finally {
    await dir.close()
  }
}

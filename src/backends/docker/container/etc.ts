import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { writeFileAtomic } from "../../../lib/atomic-file.ts"
import { type Engine, unlessMissing } from "../engine.ts"
import type { ContainerMark } from "../record.ts"
import { TarReader } from "../trees/tar-read.ts"

const mostBytes = 256 * 1024
const id = "1000"

/** A container without a network gets neither of the engine, and an image's may say anything. */
export const ownEtc: Readonly<Record<string, string>> = {
  "etc/hosts": "127.0.0.1 localhost bottle\n::1 localhost\n",
  "etc/resolv.conf": "",
}

/**
 * Our few files for /etc: no other host, no resolver, and a name for the agent's user where the image has none, since
 * git, ssh and Node's `os.userInfo` fail without. The container does not run yet; links that the image planted lead
 * nowhere but within it.
 */
export async function etcFor(
  engine: Engine,
  { id: container, image }: ContainerMark,
  { user, home }: { user: string; home: string },
  noteDir: string,
): Promise<Record<string, string>> {
  const { passwd, group } = await imageNames(engine, container, join(noteDir, `names-${image.slice("sha256:".length)}`))
  const files: Record<string, string> = { ...ownEtc }
  if (!hasId(passwd)) files["etc/passwd"] = `${ended(passwd)}${user}:x:${id}:${id}::${home}:/bin/sh\n`
  if (!hasId(group)) files["etc/group"] = `${ended(group)}${user}:x:${id}:\n`
  return files
}

/** The image's users and groups. An image of one id has the same for ever: they are noted, in a private directory. */
async function imageNames(engine: Engine, container: string, note: string): Promise<{ passwd: string; group: string }> {
  const noted = readNote(note)
  if (noted !== undefined) return noted
  const [passwd, group] = await Promise.all([
    readText(engine, container, "/etc/passwd"),
    readText(engine, container, "/etc/group"),
  ])
  await writeFileAtomic(note, JSON.stringify({ passwd, group }))
  return { passwd, group }
}

function readNote(path: string): { passwd: string; group: string } | undefined {
  try {
    const { passwd, group } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>
    return typeof passwd === "string" && typeof group === "string" ? { passwd, group } : undefined
  } catch {
    return undefined
  }
}

/** Whether a line of a passwd or group file is about the agent's id. */
export function hasId(text: string): boolean {
  return text.split("\n").some((line) => line.split(":")[2] === id)
}

const ended = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`)

async function readText(engine: Engine, container: string, path: string): Promise<string> {
  const archive = await unlessMissing(engine.getContainer(container).getArchive({ path }))
  if (archive === undefined) return ""
  const parts: Buffer[] = []
  let size = 0
  const reader = new TarReader({
    begin: () => undefined,
    bytes(chunk) {
      size += chunk.length
      if (size > mostBytes) throw new Error(`${path} of the image is too long`)
      parts.push(Buffer.from(chunk))
    },
    end: () => undefined,
  })
  for await (const chunk of archive as Readable) reader.push(chunk as Buffer)
  return Buffer.concat(parts).toString("utf8")
}

import { constants } from "node:fs"
import { lstat, open, readdir } from "node:fs/promises"
import { join } from "node:path"
import type { GuestFile } from "../../sidecars/guest/protocol.ts"
import { BottleError } from "../lib/errors.ts"
import { nearest } from "../lib/nearest.ts"
import { safeText } from "../ui/safe-text.ts"
import type { Skill } from "./provider.ts"

/** All skills of a session together travel to the guest in one message; a skill is text with a few small files. */
const maxBytes = 4 * 1024 * 1024
const maxFiles = 500
const maxDepth = 8
/** What a folder under version control has beside its files. */
const left = [".git"]

/**
 * Read the skills that an agent names, each from the first of `folders` that has it. Only plain files and folders are
 * taken: a link, which a skill written by somebody else could point at anything of the operator's, is refused.
 * Throws `BottleError` (exit 3) that names the skill.
 */
export async function readSkills(names: readonly string[], folders: readonly string[]): Promise<Skill[]> {
  const budget = { bytes: maxBytes, files: maxFiles }
  const skills: Skill[] = []
  for (const name of new Set(names)) {
    const folder = await findSkill(name, folders)
    if (folder === undefined) throw await unknownSkill(name, folders)
    const files = await readTree(name, folder, "", budget)
    if (!files.some(({ path }) => path === "SKILL.md")) throw badSkill(name, "it has no SKILL.md", folder)
    skills.push({ name, files })
  }
  return skills
}

async function findSkill(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name)
    const look = await lstat(path).catch(() => undefined)
    if (look?.isDirectory()) return path
    if (look !== undefined) throw badSkill(name, look.isSymbolicLink() ? "it is a link" : "it is no folder", path)
  }
  return undefined
}

interface Budget {
  bytes: number
  files: number
}

async function readTree(skill: string, root: string, below: string, budget: Budget): Promise<GuestFile[]> {
  if (below.split("/").length > maxDepth) throw badSkill(skill, "its folders are nested too deeply", join(root, below))
  const files: GuestFile[] = []
  const entries = await readdir(join(root, below), { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (left.includes(entry.name)) continue
    const path = join(below, entry.name)
    const full = join(root, path)
    if (entry.isDirectory()) files.push(...(await readTree(skill, root, path, budget)))
    else if (entry.isFile()) files.push(await readPlain(skill, full, path, budget))
    else throw badSkill(skill, entry.isSymbolicLink() ? "a link in it is not followed" : "it holds no plain file", full)
  }
  return files
}

async function readPlain(skill: string, full: string, path: string, budget: Budget): Promise<GuestFile> {
  // It was a plain file when the folder was read; it must be one still.
  const file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((cause) => {
    throw badSkill(skill, `a file of it cannot be read (${(cause as { code?: string }).code ?? "unknown error"})`, full)
  })
  try {
    const { mode, size } = await file.stat()
    budget.files -= 1
    budget.bytes -= size
    if (budget.bytes < 0 || budget.files < 0) throw tooLarge(skill)
    const buffer = Buffer.alloc(size)
    const { bytesRead } = await file.read(buffer, 0, size, 0)
    return { path, mode: (mode & 0o100) === 0 ? 0o600 : 0o700, ...contentOf(buffer.subarray(0, bytesRead)) }
  } finally {
    await file.close()
  }
}

function contentOf(bytes: Buffer): Pick<GuestFile, "content" | "base64"> {
  const text = bytes.toString("utf8")
  return Buffer.from(text, "utf8").equals(bytes)
    ? { content: text }
    : { content: bytes.toString("base64"), base64: true }
}

async function unknownSkill(name: string, folders: readonly string[]): Promise<BottleError> {
  const lists = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))
  const near = nearest(name, lists.flat())
  const suggestion = near === undefined ? "" : `; did you mean ${JSON.stringify(safeText(near, 100))}?`
  return new BottleError(`unknown skill ${JSON.stringify(safeText(name, 100))}${suggestion}`, {
    code: "unknown-skill",
    exit: "badManifest",
    hint: `looked in ${folders.map((folder) => safeText(folder, 200)).join(" and ")}`,
  })
}

function badSkill(name: string, why: string, path: string): BottleError {
  return new BottleError(`skill ${JSON.stringify(safeText(name, 100))}: ${why}`, {
    code: "bad-skill",
    exit: "badManifest",
    hint: `see ${safeText(path, 300)}`,
  })
}

function tooLarge(name: string): BottleError {
  return new BottleError(`skill ${JSON.stringify(safeText(name, 100))}: too large to be copied in`, {
    code: "bad-skill",
    exit: "badManifest",
    hint: `an agent's skills hold at most ${maxFiles} files and ${maxBytes / 1024 / 1024} MB together`,
  })
}

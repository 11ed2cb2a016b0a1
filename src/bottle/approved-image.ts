import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"

/**
 * One approved change of a bottle's image. It counts while `state/<slug>/Dockerfile` is word for word what was approved:
 * what was chosen for one text, such as a network, never holds for another.
 */
export interface ImageChange {
  /** The decision's id. */
  id: string
  /** Line of the audit that says it. */
  seq: number
  /** SHA-256 (hex) of the Dockerfile that was approved. */
  sha256: string
  /** The operator chose that its RUNs have a network. */
  network: boolean
  /** What it was made from before, to be put back; `own`: it stood in this bottle's own Dockerfile, else there was none. */
  before: { text: string; own: boolean }
  /** It was built once: a build that fails later is no reason to give it up. */
  built?: true
}

/** `state/<slug>/Dockerfile`: there once a change was approved. */
export const ownDockerfile = (stateDir: string): string => join(stateDir, "Dockerfile")

/** `state/<slug>/image.json`: the changes, oldest first. */
export const imageRecord = (stateDir: string): string => join(stateDir, "image.json")

export function readOwnDockerfile(stateDir: string): string | undefined {
  try {
    return readFileSync(ownDockerfile(stateDir), "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

/** Oldest first; empty where none can be read. */
export function imageChanges(stateDir: string): ImageChange[] {
  try {
    const { changes } = JSON.parse(readFileSync(imageRecord(stateDir), "utf8")) as { changes?: ImageChange[] }
    return Array.isArray(changes) ? changes : []
  } catch {
    return []
  }
}

/** The approval that the bottle's own Dockerfile is from; undefined: there is no such file, or somebody else wrote it. */
export function approvedImage(stateDir: string): ImageChange | undefined {
  const last = imageChanges(stateDir).at(-1)
  return last !== undefined && last.sha256 === hashOf(readOwnDockerfile(stateDir)) ? last : undefined
}

const hashOf = (text: string | undefined): string =>
  text === undefined ? "" : createHash("sha256").update(text).digest("hex")

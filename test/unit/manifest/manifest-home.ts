import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { BottleError } from "../../../src/lib/errors.ts"
import { createManifests, type Manifests } from "../../../src/manifest/load.ts"

/** A directory of its own with an operator's home, a `BOT_BOTTLE_HOME` in it and a working directory. */
export interface ManifestHome {
  root: string
  userHome: string
  home: string
  cwd: string
  manifests: Manifests
  write(path: string, text: string | Uint8Array): string
  bottle(name: string, yaml: string): void
  agent(name: string, yaml: string, body?: string): void
  shipped(name: string, yaml: string, body?: string): void
  remove(): void
}

export function makeManifestHome(): ManifestHome {
  const root = mkdtempSync(join(tmpdir(), "manifest-test-"))
  const userHome = join(root, "user")
  const home = join(userHome, ".bot-bottle")
  const cwd = join(root, "project")
  for (const dir of [home, cwd]) mkdirSync(dir, { recursive: true })
  const write = (path: string, text: string | Uint8Array) => {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }
  const markdown = (yaml: string, body: string) => `---\n${yaml}\n---\n${body}\n`
  return {
    root,
    userHome,
    home,
    cwd,
    manifests: createManifests({ home, userHome, cwd }),
    write,
    bottle: (name, yaml) => write(`user/.bot-bottle/bottles/${name}.md`, markdown(yaml, "")),
    agent: (name, yaml, body = "Work.") => write(`user/.bot-bottle/agents/${name}.md`, markdown(yaml, body)),
    shipped: (name, yaml, body = "Work.") => write(`project/.bot-bottle/agents/${name}.md`, markdown(yaml, body)),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** The `BottleError` that a promise ends with. */
export async function failureOf(promise: Promise<unknown>): Promise<BottleError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof BottleError) return error
    throw error
  }
  throw new Error("it did not fail")
}

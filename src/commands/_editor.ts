import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BottleError } from "../lib/errors.ts"
import type { Environment } from "./_shell.ts"

/** VISUAL, else EDITOR, else vi; each may hold arguments, which a shell takes apart as everywhere else. */
export async function openEditor(path: string, env: Environment): Promise<void> {
  const editor = env.VISUAL || env.EDITOR || "vi"
  const child = Bun.spawn(["sh", "-c", `${editor} "$1"`, "sh", path], {
    env: { ...env },
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  })
  const code = await child.exited
  if (code === 0) return
  throw new BottleError(`the editor (${editor}) ended with ${code}`, {
    code: "editor",
    exit: "failed",
    hint: "VISUAL or EDITOR names the editor",
  })
}

/** What a person makes of a text in the editor; `suffix` such as `.yaml` tells it what the text is. */
export async function editText(text: string, suffix: string, env: Environment): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "bottle-edit-"))
  const path = join(dir, `text${suffix}`)
  try {
    writeFileSync(path, text, { mode: 0o600 })
    await openEditor(path, env)
    return readFileSync(path, "utf8")
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

import type { Paths } from "../../lib/paths.ts"
import { changesScript } from "./changes-script.ts"
import { type OpenWorkspace, withWorkspace, workspaceMounts } from "./open-workspace.ts"
import { scriptFailed } from "./script-failed.ts"

/** How a diff is told: as a patch, a count of lines a file, or names. */
export type DiffForm = "patch" | "stat" | "names"

export interface DiffWish {
  form: DiffForm
  /** Show what git would ignore, too. */
  ignored: boolean
  /** Takes the text piece by piece. */
  sink(piece: Uint8Array): undefined | Promise<unknown>
}

/** What a diff leaves out, so that it can be said. */
export interface DiffNotes {
  /** Files that were not there before, left out because git would ignore them. */
  ignored: number
  /** Sockets, pipes, devices, and files of 4 GB and more. */
  special: number
  /** Nested `.git` directories, which are not compared. */
  nested: number
  /** Files whose content from before is nowhere any more, left out of the comparison. */
  gone: readonly string[]
}

export interface ChangedFile {
  path: string
  /** Of a rename. */
  from?: string
  status: "added" | "modified" | "deleted" | "renamed" | "type-changed"
  /** Lines; null for a binary file. */
  added: number | null
  removed: number | null
}

const renames = "-M -l2000"
const forms: Readonly<Record<DiffForm, string>> = {
  patch: `-p ${renames}`,
  stat: `--stat=80 ${renames}`,
  names: `--name-only ${renames}`,
}
/** Everything that could make git run something or read a setting, said off once more. */
const plain = "--no-ext-diff --no-textconv --no-color --submodule=short --diff-algorithm=histogram"

/** Notes come first, each list ended by an empty record, so that a reader needs no second look at a tree that moves. */
const notes = `count /scratch/ignored; find . -xdev -iname .git -prune -o '(' ! -type f ! -type d ! -type l -o -type f ! $small ')' -print0 | tr -cd '\\0' | wc -c
find . -mindepth 2 -xdev -iname .git -print0 -prune | tr -cd '\\0' | wc -c; printf '\\0'; cat /scratch/gone; printf '\\0'
`
const most = { text: 2 ** 40, notes: 16 * 2 ** 20, milliseconds: 1_800_000 }

/** What the agent changed against what was copied in, as text. Throws `BottleError`. */
export function diffBottle(paths: Paths, slug: string, wish: DiffWish): Promise<DiffNotes> {
  return withWorkspace(paths, slug, async (open) => {
    const script = `${changesScript}git diff-index ${forms[wish.form]} ${plain} "$tree"\n{ ${notes} } >&2\n`
    const errors = await runOver(open, script, wish.ignored, most.text, wish.sink)
    return readNotes(errors, open.left)
  })
}

/** The same as data. */
export function listChanges(
  paths: Paths,
  slug: string,
  ignored: boolean,
): Promise<{ files: ChangedFile[]; notes: DiffNotes }> {
  return withWorkspace(paths, slug, async (open) => {
    const pieces: Uint8Array[] = []
    const script = `${changesScript}git diff-index --raw --numstat -z ${renames} ${plain} "$tree"\n{ ${notes} } >&2\n`
    const errors = await runOver(open, script, ignored, most.notes, (piece) => {
      pieces.push(piece)
      return undefined
    })
    return { files: readChanges(Buffer.concat(pieces).toString("utf8")), notes: readNotes(errors, open.left) }
  })
}

async function runOver(
  open: OpenWorkspace,
  script: string,
  ignored: boolean,
  maxOutput: number,
  sink: DiffWish["sink"],
): Promise<string> {
  const run = await open.backend.sealed(
    {
      argv: ["bash", "-c", script, "diff", ignored ? "all" : "unignored"],
      mounts: workspaceMounts(open),
      cwd: "/",
      maxOutput,
      timeout: most.milliseconds,
      onOutput: async (piece) => void (await sink(piece)),
    },
    open.slug,
  )
  if (run.exitCode !== 0) throw scriptFailed("the workspace could not be compared", run)
  return run.stderr
}

function readNotes(text: string, left: number): DiffNotes {
  const [counts = "", ...lists] = text.split("\0")
  const [ignored = 0, special = 0, nested = 0] = (counts.match(/\d+/g) ?? []).slice(-3).map(Number)
  return { ignored, special: special + left, nested, gone: lists.filter((name) => name.trim() !== "") }
}

const statuses: Readonly<Record<string, ChangedFile["status"]>> = {
  A: "added",
  D: "deleted",
  R: "renamed",
  T: "type-changed",
}

/** `--raw --numstat -z`: first the raw records, then the counts; a rename has two names in each. */
export function readChanges(text: string): ChangedFile[] {
  const parts = text.split("\0")
  const found = new Map<string, ChangedFile>()
  for (let at = 0; at < parts.length; ) {
    const head = parts[at++] ?? ""
    if (head.startsWith(":")) {
      const status = statuses[head.split(" ")[4]?.[0] ?? ""] ?? "modified"
      const first = parts[at++] ?? ""
      const path = status === "renamed" ? (parts[at++] ?? "") : first
      found.set(path, { path, ...(status === "renamed" ? { from: first } : {}), status, added: null, removed: null })
      continue
    }
    const counts = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(head)
    if (counts === null) continue
    if (counts[3] === "") at += 1
    const path = counts[3] === "" ? (parts[at++] ?? "") : (counts[3] ?? "")
    const file = found.get(path)
    if (file === undefined || counts[1] === "-") continue
    file.added = Number(counts[1])
    file.removed = Number(counts[2])
  }
  return [...found.values()]
}

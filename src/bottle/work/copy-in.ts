import type { Backend } from "../../backends/backend.ts"
import { BottleError } from "../../lib/errors.ts"
import { lastLine } from "../workspace.ts"
import { gitPrologue } from "./git-script.ts"

/**
 * Copies what git would track (and is not ignored) with its history, nested repositories likewise; else the whole tree.
 * The text is fixed: nothing of the repository's reaches the shell. It runs in a sealed sandbox, since a repository's own
 * configuration runs programs (SECURITY 9), and without hard links, which would let the agent rewrite the operator's
 * objects. Only files, directories and links are copied, and holes stay holes: an empty terabyte must not fill the disk.
 */
const copyScript = `${gitPrologue}
export GIT_ALLOW_PROTOCOL=file
g() { git -c core.fsmonitor=false -c core.hooksPath=/dev/null -C "$@"; }
# A file that is gone meanwhile is left out; one that may not be read is told apart by who called us.
copy() ( set +o pipefail; tar -C "$1" --null --no-recursion -T "$3" --sparse -cf - | tar -C "$2" --no-same-owner -xf - )
# From $1 to $2, $3 repositories deep.
repository() {
  local depth=$3 name nested=()
  g "$1" rev-parse --git-dir >/dev/null 2>&1 || return 1
  git -c core.hooksPath=/dev/null clone -q --no-hardlinks --no-checkout "$1" "$2" 2>/dev/null || return 1
  g "$2" remote remove origin 2>/dev/null || true
  cd "$1"
  g "$1" ls-files -z --cached --others --exclude-standard | LC_ALL=C sort -zu > "/tmp/listed.$depth"
  while IFS= read -r -d '' name; do
    if [ -L "$name" ] || [ -f "$name" ] || [ -d "$name" ]; then printf '%s\\0' "$name"; fi
    if [ -d "$name" ] && [ ! -L "$name" ] && [ -e "$name/.git" ]; then nested+=("\${name%/}"); fi
  done < "/tmp/listed.$depth" > "/tmp/present.$depth"
  copy "$1" "$2" "/tmp/present.$depth"
  g "$2" reset -q 2>/dev/null || true
  [ "$depth" -lt 8 ] || return 0
  for name in "\${nested[@]}"; do repository "$1/$name" "$2/$name" "$((depth + 1))" || true; done
}
if [ ! -d /src/.git ] || ! repository /src /dst 0; then
  cd /src
  find . -xdev '(' -type f -o -type d -o -type l ')' -print0 > /tmp/present
  copy /src /dst /tmp/present
fi
`

/**
 * Notes what was copied in, for `bottle diff` and `pull`: an index with the content of whatever the repository itself
 * does not hold. It lies outside of what the agent sees: what an agent does to its own objects and index hides nothing.
 */
const noteScript = `
cd /dst
if [ -d .git ]; then
  # One that was copied as plain files may name a working tree that is not here, and then says nothing.
  for ask in 'rev-parse -q --verify HEAD' 'for-each-ref --format=%(objectname)'; do
    git --git-dir=.git --work-tree=. $ask 2>/dev/null || true
  done > /base/known
fi
own /base /dst/.git/objects
files > /tmp/now
GIT_DIR=/base GIT_WORK_TREE=/dst git update-index -z --add --stdin < /tmp/now
# Without the repository's objects: every tree is written here, also one that it happens to hold.
rm -f /base/objects/info/alternates
GIT_DIR=/base git write-tree --missing-ok > /base/tree
`

export interface CopyPlaces {
  /** The working directory. */
  cwd: string
  /** Empty, and writable for the bottle's agent. */
  workspace: string
  /** The same; where it is noted what was copied (`StateDir.base`). */
  base: string
}

/** Copy the working directory into the bottle's workspace. Throws `BottleError` naming what went wrong. */
export async function copyWorkspace(backend: Backend, slug: string, places: CopyPlaces): Promise<void> {
  const run = await backend.sealed(
    {
      argv: ["bash", "-c", copyScript + noteScript],
      mounts: [
        { source: places.cwd, target: "/src", readonly: true },
        { source: places.workspace, target: "/dst", readonly: false },
        { source: places.base, target: "/base", readonly: false },
      ],
      cwd: "/",
      maxOutput: 64 * 1024,
      timeout: 600_000,
    },
    slug,
  )
  const denied = run.stderr.split("\n").find((line) => line.includes("Permission denied"))
  if (run.exitCode === 0 && denied === undefined) return
  throw new BottleError(`the working directory could not be copied: ${denied?.slice(0, 200) ?? lastLine(run)}`, {
    code: "copy-workspace",
    exit: "failed",
    hint: hintFor(denied !== undefined),
  })
}

function hintFor(denied: boolean): string {
  if (!denied) return "start without --cwd for an empty workspace"
  return process.getuid?.() === 0
    ? "started by root, a bottle runs as a user of its own: make the files readable for it, or start as their owner"
    : "make it readable, or have git ignore it"
}

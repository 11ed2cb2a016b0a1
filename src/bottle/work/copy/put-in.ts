import { lstatSync } from "node:fs"
import { basename, posix, resolve } from "node:path"
import { Readable } from "node:stream"
import type { TreeAccess, TreeName } from "../../../backends/backend.ts"
import { BottleError } from "../../../lib/errors.ts"
import { treePaths } from "../../workspace.ts"
import { type BottleTrees, withAccess } from "../open-workspace.ts"
import { scriptFailed } from "../script-failed.ts"
import { insidePath } from "./inside-path.ts"
import { packLocal } from "./pack-local.ts"

/**
 * Unpacks the archive on stdin, whose one member is called `new`, beside its place and moves it there; with no name ($2)
 * it unpacks into the directory. It runs as the agent's user in a sandbox of the tree: what an agent's links lead to is in
 * there with it. Exit 41: something is there already, 44: no such directory.
 */
const script = `set -eu
tree=$1 place=$2 name=$3 force=$4
cd "$tree"
if [ -z "$name" ]; then
  [ -d "./$place" ] || exit 44
  keep=--keep-old-files; if [ "$force" = force ]; then keep=--unlink-first; fi
  exec tar -C "./$place" --no-same-owner $keep -xf -
fi
if [ -d "./$place" ]; then target=./$place/$name
else target=./$place; [ -d "$(dirname "$target")" ] || exit 44; fi
there() { [ -e "$1" ] || [ -L "$1" ]; }
if there "$target" && [ "$force" != force ]; then exit 41; fi
draft=$(mktemp -d "$(dirname "$target")/.bottle-cp.XXXXXX")
trap 'rm -rf "$draft"' EXIT
tar -C "$draft" --no-same-owner -xf -
if [ -d "$target" ] && [ ! -L "$target" ]; then
  [ -d "$draft/new" ] || exit 41
  cp -a --remove-destination -T "$draft/new" "$target"
else
  mv -fT "$draft/new" "$target"
fi
`
const day = 86_400_000

/** Copy a file or directory of this machine into a bottle, as `cp -r` would. Throws `BottleError`. */
export async function putIn(trees: BottleTrees, source: string, path: string, force: boolean): Promise<void> {
  const absolute = resolve(source)
  // Before anything of the bottle is touched.
  if (lstatSync(absolute, { throwIfNoEntry: false }) === undefined) {
    throw new BottleError(`${source} is not there`, {
      code: "no-such-file",
      exit: "notFound",
      hint: "give a file of this machine",
    })
  }
  await put(trees, path, force, basename(absolute), (name) => Readable.from(packLocal(absolute, name)))
}

/** Unpack an archive into a directory of a bottle. */
export function streamIn(trees: BottleTrees, path: string, force: boolean, archive: Readable): Promise<void> {
  return put(trees, path, force, "", () => archive)
}

type Pack = (name: string) => Readable

async function put(trees: BottleTrees, path: string, force: boolean, name: string, pack: Pack): Promise<void> {
  const { tree, inner } = insidePath(path, trees.plan)
  if (trees.state.rest === "frozen") {
    throw new BottleError(`${trees.slug} is frozen: nothing can be put into it`, {
      code: "frozen",
      exit: "failed",
      hint: `bottle resume ${trees.slug}`,
    })
  }
  await withAccess(trees, (access) =>
    access === undefined
      ? putIntoDirectory(trees, tree, inner, force, name, pack)
      : putThrough(access, tree, inner, force, name, pack),
  )
}

async function putIntoDirectory(
  { backend, slug, state, plan }: BottleTrees,
  tree: TreeName,
  inner: string,
  force: boolean,
  name: string,
  pack: Pack,
): Promise<void> {
  const run = await backend.sealed(
    {
      argv: ["bash", "-c", script, "copy", plan[tree], inner === "" ? "." : inner, name, force ? "force" : "keep"],
      mounts: [{ source: treePaths[tree](state.path), target: plan[tree], readonly: false }],
      cwd: "/",
      maxOutput: 2 ** 16,
      timeout: day,
      input: pack("new"),
    },
    slug,
  )
  if (run.exitCode === 41) throw inTheWay(posix.join(inner, name))
  if (run.exitCode === 44) throw noDirectory(inner)
  if (run.exitCode !== 0) throw scriptFailed("the files could not be written", run)
}

async function putThrough(
  access: TreeAccess,
  tree: TreeName,
  inner: string,
  force: boolean,
  name: string,
  pack: Pack,
): Promise<void> {
  if ((await access.kind(tree, inner)) === "directory") {
    if (name !== "" && !force && (await access.kind(tree, posix.join(inner, name))) !== undefined) {
      throw inTheWay(posix.join(inner, name))
    }
    return access.write(tree, inner, pack(name))
  }
  const parent = posix.dirname(inner) === "." ? "" : posix.dirname(inner)
  if (name === "" || (await access.kind(tree, parent)) !== "directory") throw noDirectory(inner)
  if (!force && (await access.kind(tree, inner)) !== undefined) throw inTheWay(inner)
  await access.write(tree, parent, pack(posix.basename(inner)))
}

function inTheWay(inner: string): BottleError {
  return new BottleError(`${JSON.stringify(inner)} is there already, in the bottle`, {
    code: "exists",
    exit: "failed",
    hint: "--force replaces files, and adds to directories",
  })
}

function noDirectory(inner: string): BottleError {
  return new BottleError(`the bottle has no directory for ${JSON.stringify(inner)}`, {
    code: "no-directory",
    exit: "notFound",
    hint: "make it first: bottle exec SLUG -- mkdir -p DIR",
  })
}

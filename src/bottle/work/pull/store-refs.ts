import type { ChosenRef } from "./choose-refs.ts"
import type { OperatorGit } from "./host-git.ts"

/**
 * Take a checked bundle into the operator's repository and point the refs at it, all or none. `bundle` undefined:
 * the repository has everything. Returns what each was before. A ref of an earlier pull that stands in the way (`a` where there is `a/b` now) goes.
 */
export async function storeRefs(
  git: OperatorGit,
  bundle: string | undefined,
  chosen: readonly ChosenRef[],
  refOf: (name: string) => string,
): Promise<Map<string, string>> {
  if (bundle !== undefined) {
    await git.must("git does not accept the bundle", ["bundle", "verify", "-q", bundle])
    await git.must("git could not take the bundle", ["bundle", "unbundle", bundle])
  }
  const tips = `${chosen.map(({ oid }) => oid).join("\n")}\n`
  const connected = ["rev-list", "--objects", "--quiet", "--stdin", "--not", "--all"]
  await git.must("the commits are not complete", connected, tips)
  const before = await currentRefs(git, refOf(""))
  const names = new Set(chosen.map(({ name }) => refOf(name)))
  const inTheWay = [...before.keys()].filter(
    (ref) => !names.has(ref) && [...names].some((name) => name.startsWith(`${ref}/`) || ref.startsWith(`${name}/`)),
  )
  const what = "git could not write the refs"
  const message = ["update-ref", "-m", "bottle pull", "--create-reflog", "--stdin", "-z"]
  if (inTheWay.length > 0) await git.must(what, message, inTheWay.map((ref) => `delete ${ref}\0\0`).join(""))
  await git.must(what, message, chosen.map(({ name, oid }) => `update ${refOf(name)}\0${oid}\0\0`).join(""))
  return before
}

async function currentRefs(git: OperatorGit, prefix: string): Promise<Map<string, string>> {
  const { stdout } = await git.run(["for-each-ref", "--format=%(objectname) %(refname)", prefix])
  return new Map(
    stdout.split("\n").flatMap((line): [string, string][] => {
      const at = line.indexOf(" ")
      return at === -1 ? [] : [[line.slice(at + 1), line.slice(0, at)]]
    }),
  )
}

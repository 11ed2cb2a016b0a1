import { BottleError } from "../../../lib/errors.ts"
import type { Paths } from "../../../lib/paths.ts"
import { workspaceMark } from "../../workspace.ts"
import { findTrees, type OpenWorkspace, withWorkspace } from "../open-workspace.ts"
import { type ChosenRef, chooseRefs, mostRefs } from "./choose-refs.ts"
import { type OperatorGit, openOperatorGit } from "./host-git.ts"
import { makeBundle, measure } from "./make-bundle.ts"
import { readWorkspace } from "./read-workspace.ts"
import { leaksFound, scanLeaks } from "./scan-leaks.ts"
import { storeRefs } from "./store-refs.ts"
import type { PullResult, PullWish } from "./types.ts"

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Bring the commits of a bottle's workspace to `refs/bottle/<slug>/` of the operator's repository (SECURITY 8, 9). All
 * that reads the workspace runs in sandboxes; what comes out is a bundle, checked in a clean one, and then taken over by
 * the operator's git without touching a branch, the index or the working tree. Throws `BottleError`.
 */
export async function pullBottle(paths: Paths, slug: string, wish: PullWish, env: Environment): Promise<PullResult> {
  const { plan } = await findTrees(paths, slug)
  const { git, into } = await repositoryFor(plan, wish, env)
  return withWorkspace(paths, slug, (open) => pullFrom(open, git, into, wish, env))
}

async function pullFrom(
  open: OpenWorkspace,
  git: OperatorGit,
  into: string,
  wish: PullWish,
  env: Environment,
): Promise<PullResult> {
  const { slug, backend, state } = open
  // Before anything is read: what the agent does from here on counts as not pulled.
  const mark = await workspaceMark(backend, slug, open.workspace)
  const word = await readWorkspace(open, wish.wip)
  const { chosen, skipped } = chooseRefs(word.refs, new Set(word.known), wish.branches, word.current)
  for (const branch of wish.branches) {
    if (![...chosen, ...skipped].some(({ name }) => name === branch)) throw noSuchBranch(slug, branch)
  }
  if (word.wip !== undefined) chosen.push({ name: "WIP", oid: word.wip })
  if (chosen.length > mostRefs) throw tooManyRefs(chosen.length)
  const rest = { into, skipped, uncommitted: word.uncommitted, nested: word.nested }
  const done = async (result: Omit<PullResult, "complete">): Promise<PullResult> => {
    const complete = word.uncommitted + word.nested + skipped.length + wish.branches.length === 0
    if (complete) state.pulledMark = mark
    return { ...result, complete }
  }
  if (chosen.length === 0) return done({ ...rest, refs: [], leaks: "none" })
  const have = await operatorHas(git, slug, word.known)
  const asked = { open, chosen, have, maxSize: wish.maxSize }
  const measured = await measure(asked)
  const leaks = measured.objects === 0 ? [] : await scanLeaks(asked, env.PATH ?? "")
  if (leaks !== undefined && leaks.length > 0 && !wish.allowLeaks) throw leaksFound(slug, leaks)
  const refOf = (name: string) => `refs/bottle/${slug}/${name}`
  const bundle = measured.objects === 0 ? undefined : await makeBundle(asked, measured, refOf)
  const before = await storeRefs(git, bundle, chosen, refOf)
  const refs = chosen.map(({ name, oid }: ChosenRef, at) => {
    const was = before.get(refOf(name))
    return { name, ref: refOf(name), oid, commits: measured.commits[at] ?? 0, ...(was === undefined ? {} : { was }) }
  })
  return done({ ...rest, refs, leaks: leaks === undefined ? "not scanned" : leaks.length > 0 ? "allowed" : "none" })
}

/** Of what was copied in and what was pulled before, the commits that a ref of the operator's still leads to. */
async function operatorHas(git: OperatorGit, slug: string, known: readonly string[]): Promise<string[]> {
  const pulled = await git.run(["for-each-ref", "--format=%(objectname)", `refs/bottle/${slug}/`])
  const asked = [...new Set([...known, ...pulled.stdout.split("\n")])].filter((oid) => /^[0-9a-f]{40}$/.test(oid))
  if (asked.length === 0) return []
  const format = "--batch-check=%(objectname) %(objecttype)"
  const answer = await git.run(["cat-file", format], asked.map((oid) => `${oid}\n`).join(""))
  const commits = answer.stdout.split("\n").flatMap((line) => /^([0-9a-f]{40}) commit$/.exec(line)?.[1] ?? [])
  // A commit that no ref leads to may be gone tomorrow, with what it holds.
  const loose = await git.run(["rev-list", "--no-walk", "--stdin", "--not", "--all"], `${commits.join("\n")}\n`)
  const unreachable = new Set(loose.code === 0 ? loose.stdout.split("\n") : commits)
  return commits.filter((oid) => !unreachable.has(oid))
}

async function repositoryFor(
  plan: { copyCwd: boolean; cwd: string; slug: string },
  wish: PullWish,
  env: Environment,
): Promise<{ git: OperatorGit; into: string }> {
  const places = wish.into === undefined ? [...(plan.copyCwd ? [plan.cwd] : []), wish.cwd] : [wish.into]
  for (const into of places) {
    const git = await openOperatorGit(into, env)
    if (git !== undefined) return { git, into }
  }
  throw new BottleError(`no git repository at ${places.join(" or ")} to pull into`, {
    code: "no-repository",
    exit: "usage",
    hint: `name one: bottle pull ${plan.slug} --into DIR (git init makes an empty one)`,
  })
}

function noSuchBranch(slug: string, branch: string): BottleError {
  return new BottleError(`the workspace has no branch ${JSON.stringify(branch)} with new commits`, {
    code: "unknown-branch",
    exit: "notFound",
    hint: `its branches: bottle pull ${slug}, without --branch`,
  })
}

function tooManyRefs(count: number): BottleError {
  return new BottleError(`too much to pull: ${count} branches and tags are new, at most ${mostRefs} are pulled`, {
    code: "too-large",
    exit: "failed",
    hint: "name those you want with --branch",
  })
}

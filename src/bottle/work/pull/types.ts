/** What `bottle pull` was asked to do. */
export interface PullWish {
  /** A directory in the repository to pull into; undefined: where the bottle was started with --cwd, else `cwd`. */
  into: string | undefined
  cwd: string
  /** Branch names; empty: all. */
  branches: readonly string[]
  /** Make a commit of what is not committed. */
  wip: boolean
  allowLeaks: boolean
  /** Most bytes of new objects, uncompressed. */
  maxSize: number
}

export interface PulledRef {
  /** What it is called in the workspace: a branch, `tags/…`, `stash`, `HEAD` (detached) or `WIP`. */
  name: string
  /** `refs/bottle/<slug>/<name>`. */
  ref: string
  oid: string
  /** Commits that are new to the repository. */
  commits: number
  /** What the ref was before this pull; undefined: there was none. */
  was?: string
}

export interface SkippedRef {
  name: string
  reason: string
}

/** A secret that gitleaks found: where, never what. */
export interface Leak {
  file: string
  line: number
  rule: string
  commit: string
}

export interface PullResult {
  /** The repository's directory. */
  into: string
  refs: readonly PulledRef[]
  skipped: readonly SkippedRef[]
  /** Files that differ from the last commit and were not pulled. */
  uncommitted: number
  /** Nested repositories, whose commits are not pulled. */
  nested: number
  leaks: "none" | "allowed" | "not scanned"
  /** Nothing of the workspace's work is left that was not pulled. */
  complete: boolean
}

/** A branch, tag or the like of the workspace's repository, as it says itself. */
export interface WorkRef {
  oid: string
  ref: string
}

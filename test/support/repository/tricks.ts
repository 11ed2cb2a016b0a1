/** A way in which a repository's own content makes git run a program of its choosing. */
export interface Trick {
  name: string
  /** Shell lines in a fresh repository with a commit of `file`; `$RUN` is the program. */
  plant: string
  /** What an unsuspecting person would type; it runs the program. */
  plain: string[]
  /** `bottle pull` refuses it instead of bringing the commits. */
  refused?: string
}

const dirty = "echo changed >> file"

export const tricks: readonly Trick[] = [
  { name: "core.fsmonitor", plant: 'git config core.fsmonitor "$RUN"', plain: ["status"] },
  {
    name: "a text conversion by attribute",
    plant: `git config diff.evil.textconv "$RUN"; echo '* diff=evil' > .gitattributes; ${dirty}`,
    plain: ["diff", "HEAD"],
  },
  { name: "diff.external", plant: `git config diff.external "$RUN"; ${dirty}`, plain: ["diff", "HEAD"] },
  {
    name: "a diff command by attributes in .git/info",
    plant: `git config diff.evil.command "$RUN"; mkdir -p .git/info; echo '* diff=evil' > .git/info/attributes; ${dirty}`,
    plain: ["diff", "HEAD"],
  },
  {
    name: "a clean filter",
    plant: `git config filter.evil.clean "$RUN"; echo '* filter=evil' > .gitattributes; ${dirty}`,
    plain: ["add", "-A"],
  },
  {
    name: "a filter process",
    plant: `git config filter.evil.process "$RUN"; echo '* filter=evil' > .gitattributes; ${dirty}`,
    plain: ["add", "-A"],
  },
  {
    name: "a hook",
    plant: `mkdir -p .git/hooks; printf '#!/bin/sh\\nexec %s\\n' "$RUN" > .git/hooks/post-checkout; chmod 755 .git/hooks/post-checkout`,
    plain: ["checkout", "-q", "-b", "other"],
  },
  {
    name: "a reference-transaction hook",
    plant: `mkdir -p .git/hooks; printf '#!/bin/sh\\nexec %s\\n' "$RUN" > .git/hooks/reference-transaction; chmod 755 .git/hooks/reference-transaction`,
    plain: ["update-ref", "refs/heads/other", "HEAD"],
  },
  {
    name: "core.hooksPath in the tree",
    plant: `git config core.hooksPath hooks; mkdir hooks; printf '#!/bin/sh\\nexec %s\\n' "$RUN" > hooks/reference-transaction; chmod 755 hooks/reference-transaction`,
    plain: ["update-ref", "refs/heads/other", "HEAD"],
  },
  {
    name: "an included file",
    plant: `printf '[core]\\n\\tfsmonitor = %s\\n' "$RUN" > evil.conf; git config include.path ../evil.conf`,
    plain: ["status"],
  },
  {
    name: "a .git file that leads to a git directory in the tree",
    plant: `git config core.fsmonitor "$RUN"; mv .git elsewhere; echo 'gitdir: elsewhere' > .git`,
    plain: ["status"],
    refused: "holds no git repository",
  },
  {
    name: "a .git that is a link",
    plant: `git config core.fsmonitor "$RUN"; mv .git elsewhere; ln -s elsewhere .git`,
    plain: ["status"],
    refused: "holds no git repository",
  },
  {
    name: "a submodule's own settings",
    plant: `git init -q sub; git -C sub config user.name x; git -C sub config user.email x@y; git -C sub commit -q --allow-empty -m x; git add sub 2>/dev/null; git commit -qm sub; git -C sub config core.fsmonitor "$RUN"`,
    plain: ["status"],
  },
  {
    name: "a missing object that is fetched through a transport of its own",
    plant: `blob=$(git rev-parse HEAD:file); rm -f .git/objects/$(echo $blob | cut -c1-2)/$(echo $blob | cut -c3-)
git config core.repositoryFormatVersion 1; git config extensions.partialClone evil; git config remote.evil.url "ext::$RUN"; git config remote.evil.promisor true; git config protocol.ext.allow always`,
    plain: ["cat-file", "-p", "HEAD:file"],
    refused: "damaged",
  },
  {
    name: "a signature to be verified",
    plant: `git config gpg.program "$RUN"; git config log.showSignature true
git cat-file commit HEAD | sed 's/^\\(committer .*\\)$/\\1\\ngpgsig -----BEGIN PGP SIGNATURE-----\\n \\n x\\n -----END PGP SIGNATURE-----/' > /tmp/signed
git update-ref refs/heads/main "$(git hash-object -t commit -w /tmp/signed)"`,
    plain: ["log", "-1"],
  },
]

/** A fresh repository at the working directory, with a commit of `file`. */
export const freshRepository = `find . -mindepth 1 -maxdepth 1 -exec rm -rf {} +
git init -q -b main .; git config user.name agent; git config user.email agent@example.test
echo one > file; git add file; git commit -qm one`

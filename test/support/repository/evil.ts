import { chmodSync, existsSync, lchownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { run } from "../command.ts"
import type { Place } from "../place.ts"

/** Runs the real git on a directory, as the person of a place. */
export async function git(place: Place, dir: string, ...args: string[]): Promise<string> {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "safe.directory=*"]
  const env = { ...place.env, GIT_CONFIG_NOSYSTEM: "1", GIT_ALLOW_PROTOCOL: "file:ext" }
  return (await run(place.as(["git", "-C", dir, ...identity, ...args]), { env })).stdout
}

/** Give a tree to the person of a place, when the tests have root. */
export function giveTo(place: Place, ...paths: string[]): void {
  if (process.getuid?.() !== 0) return
  const id = place.who === "user" ? 12_345 : 0
  for (const path of paths) chownTree(path, id)
}

/** Make of a directory a repository that runs `run.sh` in every way that git knows; each run is a line in `ran`. */
export async function makeEvil(place: Place, repository: string, ran: string): Promise<void> {
  const script = join(repository, "run.sh")
  await git(place, repository, "init", "-q", "-b", "main")
  put(join(repository, "file"), "original\n")
  put(script, `#!/bin/sh\necho "$0 $*" >> ${ran}\n`, 0o755)
  put(join(repository, ".gitattributes"), "* filter=evil diff=evil merge=evil\n")
  const module = `[submodule "s"]\n\tpath = s\n\turl = ext::${script}\n\tupdate = !${script}\n`
  put(join(repository, ".gitmodules"), module)
  giveTo(place, repository)
  await git(place, repository, "add", "-A")
  await git(place, repository, "commit", "-q", "-m", "first")
  writeConfig(repository, script)
  for (const hook of hooks) put(join(repository, ".git/hooks", hook), `#!/bin/sh\nexec ${script} ${hook}\n`, 0o755)
  giveTo(place, repository)
}

function writeConfig(repository: string, script: string): void {
  const path = join(repository, ".git/config")
  const keys = ["fsmonitor", "sshCommand", "pager", "editor", "gitProxy", "alternateRefsCommand", "askPass"]
  const core = keys.map((key) => `\t${key} = ${script}\n`).join("")
  writeFileSync(
    path,
    `${readFileSync(path, "utf8")}[core]\n${core}\thooksPath = ${join(repository, ".git/hooks")}
[filter "evil"]\n\tclean = ${script}\n\tsmudge = ${script}\n\tprocess = ${script}\n\trequired = true
[diff "evil"]\n\tcommand = ${script}\n\ttextconv = ${script}
[diff]\n\texternal = ${script}
[merge "evil"]\n\tdriver = ${script}
[uploadpack]\n\tpackObjectsHook = ${script}
[credential]\n\thelper = !${script}
[gpg]\n\tprogram = ${script}
[log]\n\tshowSignature = true
[remote "origin"]\n\turl = ext::${script}\n\tuploadpack = ${script}\n\tvcs = evil
[remote "evil"]\n\turl = ext::${script} %S\n\tfetch = +refs/*:refs/remotes/evil/*
[protocol "ext"]\n\tallow = always
[alias]\n\trev-parse = !${script}\n\tls-files = !${script}\n\tclone = !${script}
[submodule "s"]\n\tactive = true\n\turl = ext::${script}\n\tupdate = !${script}
`,
  )
}

const hooks = [
  ...["applypatch-msg", "post-checkout", "post-commit", "post-index-change", "post-merge", "post-rewrite"],
  ...["pre-auto-gc", "pre-commit", "pre-push", "reference-transaction", "fsmonitor-watchman", "proc-receive"],
]

/** Names that are options, commands, or more than one line to whoever is careless. */
export const oddNames = [
  ...["--checkpoint=1", "--checkpoint-action=exec=sh run.sh", "-rf", "-", "--", "two\nlines", "tab\there", " ", "*"],
  ...["$(touch ran)", "`touch ran`", ";touch ran", "'", '"', "\\", "\x1b]52;c;AAAA\x07", "\u009b31m", "!file", "#x"],
]

/** Write a file with this mode, and its directories. */
export function put(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

function chownTree(path: string, id: number): void {
  lchownSync(path, id, id)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) chownTree(join(path, entry.name), id)
    else lchownSync(join(path, entry.name), id, id)
  }
}

/** Regular files below a directory that hold this text; nothing is followed. */
export function filesHolding(dir: string, text: string): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return filesHolding(path, text)
    if (!entry.isFile() || Bun.file(path).size > 2 ** 20) return []
    return readFileSync(path).includes(text) ? [path] : []
  })
}

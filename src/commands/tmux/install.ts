import { existsSync, statSync } from "node:fs"
import { mkdir, readFile, realpath } from "node:fs/promises"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { writeFileAtomic } from "../../lib/atomic-file.ts"
import { BottleError } from "../../lib/errors.ts"
import { cancelled } from "../../lib/terminal.ts"
import { withBlock, withoutBlock } from "../../tmux/install.ts"
import type { Environment, Shell } from "../_shell.ts"

/** Add the marked line to tmux.conf, or take it out again, after showing it and asking. Returns whether it changed. */
export async function runInstall(
  verb: "install" | "uninstall",
  { file, yes }: { file: string | undefined; yes: boolean },
  shell: Shell,
): Promise<boolean> {
  const path = await realPath(file ?? configPath(shell.env))
  const before = existsSync(path) ? await readFile(path, "utf8") : ""
  const after = verb === "install" ? withBlock(before, plainPath(process.execPath)) : withoutBlock(before)
  if (after === before) {
    shell.log.info(verb === "install" ? `${path} loads bottle already` : `${path} has no lines of bottle's`)
    return false
  }
  if (verb === "install") {
    shell.log.info(`these lines go to the end of ${path}:`)
    for (const line of blockLines(after)) shell.log.info(`  ${line}`)
  } else shell.log.info(`the lines between bottle's marks go out of ${path}`)
  if (!yes && !(await shell.terminal.confirm("change it?", "pass --yes"))) throw cancelled()
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, after, existsSync(path) ? statSync(path).mode & 0o777 : 0o644)
  return true
}

function blockLines(config: string): string[] {
  return config.slice(config.lastIndexOf("# >>> bottle")).trimEnd().split("\n")
}

/** The file that tmux reads: `~/.tmux.conf`, or the XDG one where only that is there. */
function configPath(env: Environment): string {
  const home = env.HOME ?? homedir()
  const classic = join(home, ".tmux.conf")
  const xdg = join(env.XDG_CONFIG_HOME ?? join(home, ".config"), "tmux", "tmux.conf")
  return !existsSync(classic) && existsSync(xdg) ? xdg : classic
}

/** A configuration that is a link into a folder of dotfiles stays one. */
async function realPath(path: string): Promise<string> {
  return existsSync(path) ? realpath(path) : path
}

/** The path stands inside quotes of tmux and of a shell: one that either would read differently is refused. */
function plainPath(bin: string): string {
  if (/^[A-Za-z0-9_./@+ -]+$/.test(bin)) return bin
  throw new BottleError(`the path of the binary has characters that tmux would read: ${bin}`, {
    code: "odd-path",
    exit: "failed",
    hint: "install bottle under a plain path, such as ~/.local/bin/bottle",
  })
}

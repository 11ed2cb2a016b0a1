import { safeText } from "../ui/safe-text.ts"

/**
 * Words for one call of tmux that runs several commands. tmux ends a command at a word that is `;` or ends in one
 * unless a backslash is before it (facts measured on 3.3a: `set -g @x 'a;'` stored `a`).
 */
export function tmuxArguments(commands: readonly (readonly string[])[]): string[] {
  return commands.flatMap((words, index) => [...(index === 0 ? [] : [";"]), ...words.map(tmuxArgument)])
}

function tmuxArgument(word: string): string {
  return word.endsWith(";") ? `${word.slice(0, -1)}\\;` : word
}

/**
 * Text for a place where tmux expands formats (a title, a message, a menu item, a border): `#(…)` would run a command
 * and `#[…]` change the style. Every `#` is doubled, and what a terminal would not draw is shown as a mark.
 */
export function formatText(text: string, limit?: number): string {
  return safeText(text, limit).replaceAll("#", "##")
}

/**
 * A directory for `-c` or `-d`, which tmux expands as a format without drawing it: `##` becomes `#`, but a run of `#`
 * before `[` is left as it is (format.c of 3.3a), so that one must not be doubled.
 */
export function formatPath(path: string): string {
  return path.replaceAll(/#+(?![#[])/g, (run) => run + run)
}

/** Text for a double-quoted string in tmux' own configuration language, as `bind-key` and `run-shell` bodies read it. */
export function quoteConfig(text: string): string {
  return `"${text.replaceAll(/["\\$]/g, "\\$&")}"`
}

/** Text for one word of the shell that `run-shell` starts; it is expanded as a format first. */
export function quoteShell(text: string): string {
  return `'${text.replaceAll("#", "##").replaceAll("'", `'\\''`)}'`
}

import type { CommandEntry } from "../index.ts"
import { bashCompletion } from "./bash.ts"
import { fishCompletion } from "./fish.ts"
import { manPage } from "./man.ts"
import { commandTree } from "./tree.ts"
import { zshCompletion } from "./zsh.ts"

/** File names below `completions/`, by what `bottle completions` calls them. */
export const completionFiles = {
  bash: "bottle.bash",
  zsh: "_bottle",
  fish: "bottle.fish",
  man: "bottle.1",
} as const

/** Every file that is made from the command tree. */
export async function renderCompletions(
  table: Readonly<Record<string, CommandEntry>>,
  version: string,
): Promise<Record<keyof typeof completionFiles, string>> {
  const tree = await commandTree(table)
  return {
    bash: bashCompletion(tree),
    zsh: zshCompletion(tree),
    fish: fishCompletion(tree),
    man: manPage(tree, version),
  }
}

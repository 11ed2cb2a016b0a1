import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { version } from "../../../package.json"
import type { Command } from "../../../src/commands/_command.ts"
import { completionFiles, renderCompletions } from "../../../src/commands/completions/render.ts"
import { commandTree } from "../../../src/commands/completions/tree.ts"
import { commands } from "../../../src/commands/index.ts"

const root = join(import.meta.dir, "..", "..", "..")

describe("completions/", () => {
  test("is what the commands of this checkout make (npm run build writes it)", async () => {
    const made = await renderCompletions(commands, version)
    for (const [kind, name] of Object.entries(completionFiles)) {
      const kept = readFileSync(join(root, "completions", name), "utf8")
      expect(kept === made[kind as keyof typeof made] ? name : `${name} is old: npm run build`).toBe(name)
    }
  })

  test("names every command that a person types and none that is hidden", async () => {
    const hidden = Object.keys(commands).filter((name) => commands[name]?.hidden)
    expect(hidden).toEqual(["__complete"])
    const names = (await commandTree(commands)).map(({ name }) => name)
    expect(names).toEqual(Object.keys(commands).filter((name) => !hidden.includes(name)))
  })

  test("says a description's quotes, brackets and colons as they are, in each shell's own way", async () => {
    const command: Command = {
      meta: { name: "odd", description: "It's [odd]: $(x) `y`" },
      args: { flag: { type: "string", description: "a 'quoted' [b]: c\\d" } },
      run: async () => 0,
    }
    const table = { odd: { description: command.meta.description, load: async () => command } }
    const made = await renderCompletions(table, "1")
    expect(made.zsh).toContain(`'odd:It'\\''s [odd]: $(x) \`y\`'`)
    expect(made.zsh).toContain(`'--flag=[a '\\''quoted'\\'' \\[b\\]\\: c\\\\d]:flag: '`)
    expect(made.fish).toContain(`-a odd -d 'It\\'s [odd]: $(x) \`y\`'`)
    expect(made.man).toContain("a 'quoted' [b]: c\\ed")
    expect(made.bash).not.toContain("$(x)")
  })
})

import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { BottleError, ExitCode } from "../lib/errors.ts"
import { nearest } from "../lib/nearest.ts"
import type { Manifests } from "../manifest/load.ts"
import { safeText } from "../ui/safe-text.ts"
import { defineCommand, usageError } from "./_command.ts"
import { openEditor } from "./_editor.ts"
import { openManifests } from "./_manifests.ts"
import type { Shell } from "./_shell.ts"

interface Editable {
  path: string
  /** Throws `BottleError` (exit 3) when the file is not right. */
  check(): Promise<unknown>
}

export default defineCommand({
  meta: { name: "edit", description: "Open an agent or bottle file in your editor, and check it" },
  args: {
    name: { type: "positional", required: true, description: "Agent or bottle; agents/NAME or bottles/NAME if both" },
  },
  examples: ["bottle edit dev", "bottle edit bottles/dev"],
  async run({ args, shell }) {
    const file = await findEditable(args.name, await openManifests(shell), shell)
    const before = await readFile(file.path)
    for (;;) {
      await openEditor(file.path, shell.env)
      const wrong = await file.check().then(
        () => undefined,
        (error: unknown) => error,
      )
      if (wrong === undefined) break
      const again = wrong instanceof BottleError && shell.terminal.interactive
      if (!again) throw wrong
      shell.fail(wrong)
      if (!(await shell.terminal.confirm("edit again?", ""))) return wrong.exitCode
    }
    const unchanged = before.equals(await readFile(file.path))
    shell.log.info(unchanged ? `unchanged: ${file.path}` : `saved and valid: ${file.path}`)
    return ExitCode.ok
  },
})

/** The file of the operator's own that a name means; a repository's is not ours to edit. */
async function findEditable(given: string, manifests: Manifests, { paths }: Shell): Promise<Editable> {
  const [, folder, name = ""] = /^(?:(agents|bottles)\/)?(.*)$/s.exec(given) ?? []
  const agents = (await manifests.listAgents()).filter(({ display }) => display.startsWith("agents/"))
  const bottles = await manifests.listBottles()
  const isAgent = folder !== "bottles" && agents.some((entry) => entry.name === name)
  const isBottle = folder !== "agents" && bottles.some((entry) => entry.name === name)
  if (isAgent && isBottle) throw usageError(`${name} is an agent and a bottle`, `say agents/${name} or bottles/${name}`)
  if (isAgent) return { path: join(paths.agents, `${name}.md`), check: () => manifests.loadAgent(name) }
  if (isBottle) return { path: join(paths.bottles, `${name}.md`), check: () => manifests.loadBottles([name]) }
  const near = nearest(
    name,
    [...agents, ...bottles].map((entry) => entry.name),
  )
  throw new BottleError(`no agent or bottle file is called ${safeText(given, 100)}`, {
    code: "unknown-file",
    exit: "notFound",
    hint: near === undefined ? "bottle init writes the first ones" : `did you mean ${near}?`,
  })
}

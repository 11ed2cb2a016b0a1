import { lstatSync } from "node:fs"
import { join } from "node:path"
import { writeFileAtomic, writeJsonFile } from "../../lib/atomic-file.ts"
import { BottleError } from "../../lib/errors.ts"
import { ensurePrivateDir } from "../../lib/private-dir.ts"
import { jsonSchema } from "../../manifest/json-schema.ts"
import { type StarterProvider, starterAgent, starterBottle } from "../../manifest/starter.ts"
import type { Shell } from "../_shell.ts"

/**
 * Write an agent and its bottle, or neither when one of them is there, and the schemas that editors read. Returns the
 * paths of both files. Throws `BottleError` (exit 1) when one is there already.
 */
export async function writeStarter(
  { agent, bottle, provider }: { agent: string; bottle: string; provider?: StarterProvider },
  shell: Shell,
): Promise<string[]> {
  const { home, agents, bottles } = shell.paths
  const files = [
    { path: join(agents, `${agent}.md`), text: starterAgent("../schema/agent.json", bottle), name: agent },
    { path: join(bottles, `${bottle}.md`), text: starterBottle("../schema/bottle.json", provider), name: bottle },
  ]
  const taken = files.find(({ path }) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)
  if (taken !== undefined) {
    throw new BottleError(`${taken.path} is already there; nothing was written`, {
      code: "already-there",
      exit: "failed",
      hint: `bottle edit ${taken.name}, or choose other names with --agent and --bottle`,
    })
  }
  const schemas = join(home, "schema")
  for (const dir of [home, agents, bottles, schemas]) await ensurePrivateDir(dir)
  for (const kind of ["agent", "bottle"] as const)
    await writeJsonFile(join(schemas, `${kind}.json`), await jsonSchema(kind))
  for (const { path, text } of files) await writeFileAtomic(path, text)
  return files.map(({ path }) => path)
}

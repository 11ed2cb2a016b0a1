import { writeSync } from "node:fs"
import { join } from "node:path"
import type { Act } from "../../../src/audit/act.ts"
import { openAudit } from "../../../src/audit/open.ts"
import { fact } from "./fact.ts"

/**
 * `bun write-and-die.ts HOME SLUG STEP WHEN ACTION…`: append these, say which are on record, one a line, and die by
 * SIGKILL before or after the given step (from 1; 0: live). Says every step it takes on stderr.
 */
const [home = "", slug = "", at = "0", when = "before", ...actions] = process.argv.slice(2)
let step = 0
const act: Act = async (name, change) => {
  step += 1
  writeSync(2, `${name}\n`)
  if (step === Number(at) && when === "before") process.kill(process.pid, "SIGKILL")
  const result = await change()
  if (step === Number(at) && when === "after") process.kill(process.pid, "SIGKILL")
  return result
}

const pen = openAudit({ paths: { audit: join(home, "audit"), keys: join(home, "keys") }, act }, slug)
for (const action of actions) {
  const { hash } = await pen.append(fact(action))
  writeSync(1, `${hash}\n`)
}
await pen.close()

import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import edit from "../../../src/commands/edit.ts"
import init from "../../../src/commands/init.ts"
import { fakeShell } from "../../support/command-shell.ts"
import { tempDir } from "../../support/temp.ts"

const home = tempDir("edit")

/** An editor that breaks the file the first time and mends it the second. */
function clumsyEditor(): string {
  const script = join(home, "editor.sh")
  const count = join(home, "count")
  writeFileSync(
    script,
    `if [ -e ${count} ]; then sed -i s/pdis:/pids:/ "$1"; else touch ${count}; sed -i s/pids:/pdis:/ "$1"; fi\n`,
  )
  return `sh ${script}`
}

test("on a terminal a broken file is offered again until it is right, or until the person stops", async () => {
  const args = { agent: "a", bottle: "b", json: false }
  expect(await init.run({ args, rest: undefined, shell: fakeShell(home) })).toBe(0)
  const EDITOR = clumsyEditor()
  const run = (answers: boolean[]) => {
    const shell = fakeShell(home, { tty: true, answers })
    shell.env = { ...shell.env, EDITOR }
    return edit.run({ args: { name: "b" }, rest: undefined, shell })
  }
  expect(await run([false])).toBe(3)
  expect(await run([])).toBe(0)
})

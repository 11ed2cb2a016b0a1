import { test } from "bun:test"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, whos } from "../test/support/place.ts"
import { ask, type Operator, sitDown } from "../test/support/tmux-operator.ts"
import { waitFor } from "../test/support/wait.ts"
import { readCells } from "./screenshots/cells.ts"
import { drawPng, readFont } from "./screenshots/png.ts"

/**
 * `npm run screenshots`: the pictures of the README, from real bottles in a real tmux; a test, since it sits
 * down as the tests do. Needs tmux, bubblewrap, a built
 * `dist/bottle`, and Debian's package `unifont`, whose glyphs draw the cells.
 */
const patience = 60_000
const out = join(import.meta.dir, "..", "docs", "images")
const font = readFont(readFileSync("/usr/share/unifont/unifont.hex", "utf8"))
const place = makePlace(whos.at(-1) ?? "user")

async function shoot(operator: Operator, name: string): Promise<void> {
  const { outer } = operator
  const size = await outer.tmux("display-message", "-p", "-t", "test", "#{pane_width}")
  const screen = await outer.tmux("capture-pane", "-peN", "-t", "test")
  writeFileSync(join(out, `${name}.png`), drawPng(readCells(screen, Number(size)), font))
  console.error(`docs/images/${name}.png`)
}

test("pictures", async () => {
  mkdirSync(out, { recursive: true })
  place.writeBottle(
    "dev",
    "agent_provider: {template: command}\negress:\n  routes:\n    - host: api.github.com\n      matches: [{methods: [GET]}]",
  )
  place.writeAgent("builder", "bottle: dev\ndescription: Builds and tests")
  place.writeAgent("reviewer", "bottle: dev\ndescription: Reads changes and says what is wrong")
  const operator = await sitDown(place)
  try {
    const { outer } = operator
    await outer.keys("C-b", "B")
    await outer.see("reviewer", patience)
    await shoot(operator, "start")
    await outer.keys("Escape")
    await waitFor("the popup to close", async () => !(await outer.screen()).includes("reviewer"), patience)

    const slug = await operator.start("builder")
    const answer = ask(place, slug, {
      host: "raw.githubusercontent.com",
      path_allowlist: ["/express"],
      methods: ["GET"],
      justification: "npm install stops here: the package express is not in the cache.",
    })
    await outer.see("bottle: 1 asks", patience)
    await shoot(operator, "badge")
    await outer.keys("C-b", "B")
    await outer.see("next proposal", patience)
    await outer.keys("n")
    await outer.see("npm install stops here", patience)
    await waitFor("keys to count", async () => !(await outer.screen()).includes("wait: keys count"), patience)
    await shoot(operator, "proposal")
    await outer.keys("q")
    await waitFor("the popup to close", async () => !(await outer.screen()).includes("npm install stops"), patience)

    await outer.keys("C-b", "B")
    await outer.see("dashboard", patience)
    await outer.keys("d")
    await outer.see("raw.githubusercontent.com", patience)
    await shoot(operator, "dashboard")
    await outer.keys("q")
    const [{ id }] = JSON.parse((await place.bottle(["proposals", "--json"])).stdout).proposals
    await place.bottle(["proposals", "reject", id, "--reason", "use the mirror"])
    await answer
  } finally {
    await operator.close()
    for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
  }
}, 300_000)

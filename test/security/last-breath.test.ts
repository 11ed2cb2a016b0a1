import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { findVictim, seeProcesses } from "../support/kill/processes.ts"
import { makePlace, type Place, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap") && requirePart("curl")

const proposal = { host: "a.example", path_allowlist: ["/x"], justification: "last words" }
const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "egress-block", arguments: proposal } }
const asking = `-H 'content-type: application/json' -H 'accept: application/json, text/event-stream' -d '${JSON.stringify(call)}'`

/** What an agent does last before it ends well, and the one reason for which its bottle is kept then. */
const breaths: readonly [what: string, script: string, reason: string][] = [
  ["was refused", "curl -s -m 5 http://a.example/ http://b.example/", "2 requests were refused"],
  ["asked for more", `curl -s -m 1 --noproxy '*' ${asking} http://127.0.0.1:9100/mcp`, "1 proposal is open"],
]

/** An agent that waits for a word and then does this, ends well, and nobody on the host had the time to hear of it. */
async function breatheLast(place: Place, script: string, hears: (supervisor: number) => Promise<void>): Promise<void> {
  const waits = "touch ~/ready; while [ ! -e ~/go ]; do sleep 0.05; done"
  const argv = ["start", "--headless", "--bottle", "dev", "--", "sh", "-c", `${waits}; ${script}; exit 0`]
  const ending = place.bottle(argv)
  const home = () => join(place.botHome, "state", place.states()[0] ?? "", "fs", "home")
  await waitFor("the agent", () => existsSync(join(home(), "ready")))
  const supervisor = findVictim(place, place.states()[0] ?? "", "supervisor")
  if (supervisor === undefined) throw new Error("there is no supervisor")
  process.kill(supervisor, "SIGSTOP")
  writeFileSync(join(home(), "go"), "")
  await waitFor(
    "its end",
    () => !seeProcesses(place, "").some(({ argv }) => argv[0] === "sh" && argv[2]?.startsWith(waits)),
  )
  await hears(supervisor)
  expect((await ending).code).toBe(0)
}

for (const who of here ? whos : []) {
  describe(`the end of an agent, as ${who}`, () => {
    const place = makePlace(who)
    place.writeBottle("dev", "agent_provider: {template: command}")
    afterEach(async () => {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })

    for (const [what, script, reason] of breaths) {
      test(`does not hide that it ${what} just before`, async () => {
        await breatheLast(place, script, async (supervisor) => {
          await Bun.sleep(500)
          process.kill(supervisor, "SIGCONT")
        })
        const [row] = JSON.parse((await place.bottle(["list", "--json"])).stdout).active
        expect(row).toMatchObject({ state: "stopped", reasons: [reason] })
      })
    }

    test("comes also when its sidecars do not answer any more", async () => {
      await breatheLast(place, "true", async () => {})
      expect(place.states()).toEqual([])
    })
  })
}

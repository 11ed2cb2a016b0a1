import { afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type TestEngine, useEngine } from "../support/docker/engine.ts"
import { importBusybox } from "../support/kill/docker/judge.ts"
import { findVictim, seeProcesses } from "../support/kill/processes.ts"
import { makePlace, type Place, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap") && requirePart("curl")
const docked = ["dockerd", "busybox", "binary"].every(requirePart)
const engine = useEngine(docked)

const waits = "touch ~/ready; while [ ! -e ~/go ]; do sleep 0.05; done"

/** One running bottle whose agent waits for a word, as its host can get at it. */
interface Waiting {
  isReady(): boolean | Promise<boolean>
  /** Undefined: it is not there. */
  supervisor(): number | undefined | Promise<number | undefined>
  sayGo(): unknown
  hasEnded(): boolean | Promise<boolean>
}

function inNamespaces(place: Place): Waiting {
  const home = () => join(place.botHome, "state", place.states()[0] ?? "", "fs", "home")
  return {
    isReady: () => existsSync(join(home(), "ready")),
    supervisor: () => findVictim(place, place.states()[0] ?? "", "supervisor"),
    sayGo: () => writeFileSync(join(home(), "go"), ""),
    hasEnded: () => !seeProcesses(place, "").some(({ argv }) => argv[0] === "sh" && argv[2]?.startsWith(waits)),
  }
}

function inContainers(place: Place, engine: TestEngine): Waiting {
  const name = (role: string) => `bot-bottle-${place.states()[0] ?? "none"}-${role}`
  const shows = async (role: string, words: string) => {
    const table = await engine.docker("top", name(role), "-eo", "pid,args").catch(() => "")
    // Not the engine's init, which has the same words behind its own.
    return table.split("\n").find((line) => line.includes(words) && !line.includes("init"))
  }
  const inside = (...argv: string[]) => engine.docker("exec", name("agent"), ...argv)
  return {
    isReady: () =>
      inside("/bin/ls", "/home/node/ready").then(
        () => true,
        () => false,
      ),
    supervisor: async () => Number.parseInt((await shows("sidecars", "sidecar --control")) ?? "", 10) || undefined,
    sayGo: () => inside("/bin/touch", "/home/node/go"),
    hasEnded: async () => (await shows("agent", "while [ ! -e")) === undefined,
  }
}

/** An agent that waits for a word, then does this and ends well, while nobody on the host has the time to hear of it. */
async function breatheLast(place: Place, at: Waiting, script: string, hears: (supervisor: number) => Promise<void>) {
  const argv = ["start", "--headless", "--bottle", "dev", "--", "sh", "-c", `${waits}; ${script}; exit 0`]
  const ending = place.bottle(argv)
  await waitFor("the agent", () => at.isReady())
  const supervisor = await at.supervisor()
  if (supervisor === undefined) throw new Error("there is no supervisor")
  process.kill(supervisor, "SIGSTOP")
  await at.sayGo()
  await waitFor("its end", () => at.hasEnded())
  await hears(supervisor)
  expect((await ending).code).toBe(0)
}

async function wakeLate(supervisor: number): Promise<void> {
  await Bun.sleep(500)
  process.kill(supervisor, "SIGCONT")
}

const rowOf = async (place: Place) => JSON.parse((await place.bottle(["list", "--json"])).stdout).active[0]

const proposal = { host: "a.example", path_allowlist: ["/x"], justification: "last words" }
const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "egress-block", arguments: proposal } }
const asking = `-H 'content-type: application/json' -H 'accept: application/json, text/event-stream' -d '${JSON.stringify(call)}'`

/** What an agent does last before it ends well, and the one reason for which its bottle is kept then. */
const breaths: readonly [what: string, script: string, reason: string][] = [
  ["was refused", "curl -s -m 5 http://a.example/ http://b.example/", "2 requests were refused"],
  ["asked for more", `curl -s -m 1 --noproxy '*' ${asking} http://127.0.0.1:9100/mcp`, "1 proposal is open"],
]

for (const who of here ? whos : []) {
  describe(`the end of an agent, as ${who}`, () => {
    const place = makePlace(who)
    place.writeBottle("dev", "agent_provider: {template: command}")
    afterEach(async () => {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })

    for (const [what, script, reason] of breaths) {
      test(`does not hide that it ${what} just before`, async () => {
        await breatheLast(place, inNamespaces(place), script, wakeLate)
        expect(await rowOf(place)).toMatchObject({ state: "stopped", reasons: [reason] })
      })
    }

    test("comes also when its sidecars do not answer any more", async () => {
      await breatheLast(place, inNamespaces(place), "true", async () => {})
      expect(place.states()).toEqual([])
    })
  })
}

describe.skipIf(!docked)("the end of an agent in a container", () => {
  if (!docked) return
  const place = makePlace("root", { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" })
  place.writeBottle("dev", "agent_provider: {template: command}\ndocker: {image: 'busybox:1'}")
  beforeAll(() => importBusybox(engine))

  test("does not hide that it was refused just before", async () => {
    await breatheLast(place, inContainers(place, engine), "wget -q -O- http://a.example/ 2>/dev/null", wakeLate)
    expect(await rowOf(place)).toMatchObject({ state: "stopped", reasons: ["1 request was refused"] })
    for (const slug of place.states()) expect((await place.bottle(["destroy", slug, "--yes"])).code).toBe(0)
  })
})

import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { encodeFrame, FrameKind } from "../../src/lib/frames.ts"
import { useEngine } from "../support/docker/engine.ts"
import { importBusybox } from "../support/kill/docker/judge.ts"
import { processesOf } from "../support/kill/processes.ts"
import { makePlace } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

setDefaultTimeout(300_000)
const able = ["dockerd", "busybox", "binary"].every(requirePart)
const engine = useEngine(able)

const octal = (bytes: Uint8Array) => [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")

/** What an agent would have the keeper take for the guest's words. */
const forged: Readonly<Record<string, Uint8Array>> = {
  "no line and no frame": Buffer.from("\xff\xff\xff\xffgarbage\n", "latin1"),
  "an answer of its own": Buffer.from('{"ok":true,"pid":1,"probes":[]}\n'),
  "the end of its process": encodeFrame(FrameKind.exit, '{"code":0,"signal":null}'),
  "a frame without an end": Buffer.from([FrameKind.data, 0, 0, 255, 255]),
  "the keeper's word on how it ended": encodeFrame(FrameKind.note, '{"kind":"removed","text":"all is well"}'),
}

/**
 * The engine's first process in the agent's container is of the agent's user, which can open its stdin and stdout. Nobody listens
 * there; the relays that the keeper is joined to cannot be opened.
 */
describe.skipIf(!able)("an agent that writes into what its container was started with", () => {
  if (!able) return
  const place = makePlace("root", { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" })
  place.writeBottle("dev", "agent_provider: {template: command}\ndocker: {image: 'busybox:1'}")
  beforeAll(() => importBusybox(engine))

  const writes = (bytes: Uint8Array) =>
    `for f in /proc/[0-9]*/fd/0 /proc/[0-9]*/fd/1; do (printf '${octal(bytes)}' > $f) 2>/dev/null; done`
  const start = (script: string) =>
    place.bottle(["start", "--headless", "--bottle", "dev", "--", "sh", "-c", `echo kept > made; ${script}; exit 3`])
  /** It worked, so that nothing of it goes away, whatever it says of its end; `destroy` leaves nothing. */
  const judge = async () => {
    const [slug = ""] = place.states()
    expect(slug).not.toBe("")
    const { active } = JSON.parse((await place.bottle(["list", "--json"])).stdout)
    expect(active).toMatchObject([{ slug, state: expect.stringMatching(/^(stopped|closed)$/) }])
    await waitFor("nothing left", async () => {
      const left = (await engine.left()).filter((name) => !/-(home|workspace|filled)$/.test(name))
      return processesOf(place, slug).length + left.length === 0
    })
    expect((await place.bottle(["destroy", slug, "--yes"])).code).toBe(0)
    expect(existsSync(join(place.botHome, "state", slug))).toBe(false)
    expect(await engine.left()).toEqual([])
  }

  for (const [what, bytes] of Object.entries(forged)) {
    test(`${what}: is heard by nobody`, async () => {
      const done = await start(`${writes(bytes)}; sleep 1; ${writes(bytes)}`)
      expect([done.code, done.stdout]).toEqual([3, ""])
      expect(done.stderr).not.toContain("all is well")
      await judge()
    })
  }
})

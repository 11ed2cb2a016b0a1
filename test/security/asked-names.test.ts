import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { type AskingBottle, runAskingBottle } from "../support/asking-bottle.ts"
import { type Captured, makeArena, requireArena } from "../support/breakout/arena.ts"
import { besiege, secret } from "../support/breakout/attempt.ts"
import { strays } from "../support/breakout/judge.ts"
import { run } from "../support/command.ts"
import { placeBinary } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

/** A name that is looked up tells whoever runs its zone what is in it: asking for one, or showing it, looks up none. */

const here = requirePart("binary") && requirePart("bwrap") && requirePart("curl") && requireArena()
const arena = here ? await makeArena() : undefined
const besieged = arena === undefined ? undefined : await besiege("user", arena)

describe.skipIf(!here)("a name that would carry data out", () => {
  if (arena === undefined || besieged === undefined) return
  const place = { ...besieged, as: besieged.inHome }
  const data = `d4t4${randomBytes(12).toString("hex")}`
  const named = (label: string) => `${label}.${data}.capture.example`
  const lookups = (events: readonly Captured[]) =>
    events.flatMap(({ kind, port, name }) => (kind === "datagram" && port === 53 ? [name] : []))
  const carriers = (events: readonly Captured[]) =>
    events.filter(({ head, data: bytes = "" }) =>
      `${head} ${Buffer.from(bytes, "base64").toString("latin1")}`.includes(data),
    )
  const bottle: { it?: AskingBottle } = {}
  const asking = () => bottle.it as AskingBottle

  beforeAll(async () => {
    place.writeBottle(
      "names",
      `agent_provider: {template: command}
egress:
  routes:
    - {host: listed.example, ca: ${arena.caFile}}
    - {host: ${named("routed")}}
pipelock: {allowlist: [${named("whole")}]}`,
    )
    bottle.it = await runAskingBottle(place, "names")
    await waitFor("its egress", async () => (await asking().get("/public/ok", "listed.example")) === "200")
  }, 300_000)
  afterAll(() => bottle.it?.close())

  test("is seen by this harness when it is looked up, here and by egress", async () => {
    const started = await arena.take()
    expect([...new Set(lookups(started))]).toEqual(["listed.example"])
    await run(place.inHome(["getent", "ahosts", named("control")]), { env: place.env })
    const events = await arena.take()
    expect(lookups(events)).toContain(named("control"))
    expect(carriers(events)).not.toEqual([])
  }, 300_000)

  test("is looked up by nothing that refuses, asks, shows, lists, watches or rejects", async () => {
    await arena.take()
    const watch = Bun.spawn(place.as([placeBinary(place), "proposals", "watch"]), {
      ...{ cwd: place.work, env: place.env },
      ...{ stdin: "ignore", stdout: "pipe", stderr: "ignore" },
    })
    try {
      for (const scheme of ["https", "http"]) {
        const { stdout } = await asking().inside(
          `curl -s -o /dev/null -w '%{http_connect}%{http_code}' ${scheme}://${named("refused")}/`,
        )
        expect(stdout).toContain("403")
      }
      const why = { justification: `for ${named("why")}` }
      const route = await asking().ask("/x", { host: named("asked"), ...why })
      const known = await asking().openIds()
      await asking().call("pipelock-block", { failed_url: `https://${named("opened")}/x`, ...why })
      const whole = await waitFor("the other", async () => (await asking().openIds()).find((id) => !known.includes(id)))
      for (const id of [route, whole]) {
        for (const more of [[], ["--json"], ["--save"]]) {
          const { code, stdout } = await asking().decide("show", id, ...more)
          expect([code, stdout.includes(data)]).toEqual([0, true])
        }
      }
      expect((await asking().decide("list")).stdout).toContain(data)
      for (const argv of [
        ["list", "active"],
        ["routes", "show", asking().slug],
        ["allowlist", "show", asking().slug],
      ])
        expect((await place.bottle(argv)).code).toBe(0)
      expect(await asking().call("list-egress-routes", {}, 30)).toContain(named("routed"))
      const reader = watch.stdout.getReader()
      const seen = { text: "" }
      const watchUntil = async (...words: string[]) => {
        while (!words.every((word) => seen.text.includes(word))) {
          const { value, done } = await reader.read()
          if (done) throw new Error(`the watch ended: ${seen.text}`)
          seen.text += Buffer.from(value).toString()
        }
      }
      await watchUntil(named("asked"), named("opened"))
      for (const id of [route, whole]) expect((await asking().decide("reject", id, "--reason", "no")).code).toBe(0)
      await watchUntil("rejected")
      expect((await asking().decide("list", "--all")).stdout).toContain(data)
    } finally {
      watch.kill()
      await watch.exited
    }
    const events = await arena.take()
    expect(lookups(events)).toEqual([])
    expect(carriers(events)).toEqual([])
    expect(strays(events, ["listed.example"], secret)).toEqual([])
  }, 300_000)

  test("is looked up when it was approved, by the next request, and no other is", async () => {
    await arena.take()
    const id = await asking().ask("/x", { host: named("approved") })
    const { code, stdout, stderr } = await asking().decide("approve", id, "--yes")
    expect(code, stdout + stderr).toBe(0)
    expect(lookups(await arena.take())).toEqual([])
    // What becomes of them is the upstream's matter and the address', which is none of the world's.
    for (const label of ["approved", "refused"]) await asking().get("/x", named(label))
    expect([...new Set(lookups(await arena.take()))]).toEqual([named("approved")])
  }, 300_000)
})

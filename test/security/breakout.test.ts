import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { type Arena, makeArena, requireArena } from "../support/breakout/arena.ts"
import {
  attackInside,
  attackOutside,
  type BesiegedPlace,
  besiege,
  listedHosts,
  makeCanaries,
  secret,
} from "../support/breakout/attempt.ts"
import { control } from "../support/breakout/control.ts"
import { type Finding, judge, strays } from "../support/breakout/judge.ts"
import { type Row, tellTable } from "../support/breakout/table.ts"
import type { Vector } from "../support/breakout/vector.ts"
import { whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { allVectors } from "./vectors/index.ts"

/**
 * Every attack of `vectors/`, first where no fence stands, then in a bottle. Nothing may be captured inside; what
 * passes all the same is named as a limit in the attack itself.
 */

const here = requirePart("binary") && requirePart("bwrap") && requireArena()

// Made while the file loads, because what removes them is registered then.
const arena = here ? await makeArena() : undefined
const places: BesiegedPlace[] = []
for (const who of arena === undefined ? [] : whos) places.push(await besiege(who, arena as Arena))

describe.skipIf(!here)("breakout", () => {
  const rows: Row[] = []
  afterAll(() => tellTable(rows))

  const judged = (vectors: readonly Vector[], canaries: ReturnType<typeof makeCanaries>) => ({
    canaryOf: canaries.of,
    canaryStart: canaries.start,
    secret,
    vectors,
  })

  test("there are at least 60 attacks, each with a name of its own", () => {
    expect(new Set(allVectors.map(({ name }) => name)).size).toBe(allVectors.length)
    expect(allVectors.length).toBeGreaterThanOrEqual(60)
  })

  test("each attack arrives where no fence stands", async () => {
    const [place] = places
    if (arena === undefined || place === undefined) throw new Error("no arena")
    const proxy = join(import.meta.dir, "../support/breakout/open-proxy.ts")
    const open = await arena.startInHome([process.execPath, proxy, "9099"])
    const shown = allVectors.filter(({ unshown }) => unshown === undefined)
    const found = new Map<string, Finding>()
    let missed = shown
    // An attack waits less than a second for its answer, which a busy machine may take to let a connection through.
    for (let round = 0; round < 5 && missed.length > 0; round++) {
      const canaries = makeCanaries(missed)
      const attempts = await attackOutside(arena, place, missed, canaries)
      const captured = await arena.take()
      for (const finding of judge(missed, { ...judged(missed, canaries), attempts, captured }))
        found.set(finding.vector.name, finding)
      missed = missed.filter(({ name, mayLack }) => found.get(name)?.leak === undefined && mayLack !== true)
    }
    open.kill("SIGKILL")
    rows.push(...[...found.values()].map((finding) => ({ ...finding, backend: "outside", who: "root" })))
    expect(missed.map(({ name }) => name)).toEqual([])
  }, 600_000)

  for (const [index, who] of whos.entries()) {
    test(`in a namespace bottle started as ${who}, nothing is captured`, async () => {
      const place = places[index]
      if (arena === undefined || place === undefined) throw new Error("no arena")
      const vectors = [control, ...allVectors]
      const canaries = makeCanaries(vectors)
      await arena.take()
      const { attempts, stderr } = await attackInside(place, vectors, canaries)
      const captured = await arena.take()
      const works = attempts.find(({ name }) => name === control.name)?.output.toString()
      expect(works, stderr).toContain("upstream says hello")
      const requests = captured.filter(({ kind }) => kind === "request")
      expect(requests.some(({ head }) => head?.includes(`Authorization: Bearer ${secret}`))).toBe(true)

      const findings = judge(allVectors, { ...judged(allVectors, canaries), attempts, captured })
      rows.push(...findings.map((finding) => ({ ...finding, backend: "namespace", who })))
      const leaks = findings.filter(({ vector, leak }) => leak !== undefined && vector.limit === undefined)
      expect(leaks.map(({ vector, leak }) => `${vector.name}: ${leak}`)).toEqual([])
      expect(strays(captured, listedHosts, secret)).toEqual([])
    }, 600_000)
  }
})

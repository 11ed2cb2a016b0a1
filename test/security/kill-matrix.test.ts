import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { judge, killPlace } from "../support/kill/judge.ts"
import { everyCase, shortMatrix } from "../support/kill/matrix.ts"
import { whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap")

/** A part of the kill matrix; the whole runs with `npm run soak`. */
for (const [offset, who] of (here ? whos : []).entries()) {
  describe(`killed with -9, as ${who}`, () => {
    const place = killPlace(who)
    const cases = shortMatrix(offset)
    let met = 0
    for (const one of cases) {
      test(one.name, async () => {
        if (await judge(place, one)) met += 1
      })
    }
    test("most kills meet their process", () => expect(met).toBeGreaterThan(cases.length * 0.7))
    afterAll(() => console.log(`kill matrix, as ${who}: ${cases.length} of ${everyCase.length} places, ${met} met`))
  })
}

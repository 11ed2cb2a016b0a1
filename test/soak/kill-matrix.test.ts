import { afterAll, describe, setDefaultTimeout, test } from "bun:test"
import { judge, killPlace } from "../support/kill/judge.ts"
import { everyCase } from "../support/kill/matrix.ts"
import { whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(60_000)
const here = requirePart("binary") && requirePart("bwrap")

for (const who of here ? whos : []) {
  describe(`killed with -9, as ${who}`, () => {
    const place = killPlace(who)
    let met = 0
    for (const one of everyCase) {
      test(one.name, async () => {
        if (await judge(place, one)) met += 1
      })
    }
    afterAll(() => console.log(`kill matrix, as ${who}: ${everyCase.length} places, ${met} met their process`))
  })
}

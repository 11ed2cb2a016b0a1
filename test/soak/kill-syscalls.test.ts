import { afterAll, beforeAll, describe, setDefaultTimeout, test } from "bun:test"
import { judgeAfterwards, killPlace } from "../support/kill/judge.ts"
import { traced, writeGatedBottle } from "../support/kill/syscalls.ts"
import { whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(1_200_000)
const here = requirePart("binary") && requirePart("bwrap") && requirePart("strace") && requirePart("root")

/** A keeper is killed before each system call by which it changes something, one after the other. */
for (const who of here ? whos : []) {
  describe(`a keeper killed at every call, as ${who}`, () => {
    const place = killPlace(who)
    beforeAll(() => writeGatedBottle(place))
    let places = 0
    for (const [name, bring] of Object.entries(traced)) {
      test(name, async () => {
        for (let nth = 1, survived = 0; survived < 4; nth += 1) {
          const { run, killed } = await bring(place, nth)
          survived = killed ? 0 : survived + 1
          if (killed) places += 1
          await judgeAfterwards(place, run, name === "launch" ? "idle" : "working").catch((error: unknown) => {
            throw new Error(`${name}, call ${nth}: ${error instanceof Error ? error.message : String(error)}`)
          })
        }
      })
    }
    afterAll(() => console.log(`kills at system calls, as ${who}: ${places} places`))
  })
}

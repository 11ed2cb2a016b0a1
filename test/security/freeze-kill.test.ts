import { setDefaultTimeout } from "bun:test"
import { killFreezes } from "../support/kill/freeze-kills.ts"
import { whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(300_000)
const here = requirePart("binary") && requirePart("bwrap")

/** Some of the places; all of them with `npm run soak`. */
for (const [offset, who] of (here ? whos : []).entries()) killFreezes(who, (at) => at % 6 === 3 * offset + 1)

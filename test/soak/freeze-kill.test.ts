import { setDefaultTimeout } from "bun:test"
import { killFreezes } from "../support/kill/freeze-kills.ts"
import { whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

setDefaultTimeout(120_000)
const here = requirePart("binary") && requirePart("bwrap")

for (const who of here ? whos : []) killFreezes(who, () => true)

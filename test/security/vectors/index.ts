import type { Vector } from "../../support/breakout/vector.ts"
import { credentials } from "./credentials.ts"
import { direct } from "./direct.ts"
import { machine } from "./machine.ts"
import { names } from "./names.ts"
import { requests } from "./requests.ts"

/** Every attack, each name once. */
export const allVectors: readonly Vector[] = [...direct, ...names, ...requests, ...credentials, ...machine]

import { describe, expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { type Arena, makeArena, requireArena } from "../support/breakout/arena.ts"
import {
  attackOutside,
  type BesiegedPlace,
  besiege,
  type Canaries,
  makeCanaries,
  readAttempts,
  secret,
  writeAttacks,
} from "../support/breakout/attempt.ts"
import { guards } from "../support/breakout/guards.ts"
import { type Attempt, type Finding, judge } from "../support/breakout/judge.ts"
import type { Gate, Vector } from "../support/breakout/vector.ts"
import { run } from "../support/command.ts"
import { requirePart } from "../support/require.ts"
import { allVectors } from "./vectors/index.ts"

/**
 * The harness can fail: with one guard taken out of the product, attacks of that guard leak, and the same attacks do
 * not where it stands.
 */

const here = requirePart("binary") && requirePart("bwrap") && requireArena()
const arena = here ? await makeArena() : undefined
const place = arena === undefined ? undefined : await besiege("root", arena)
const patience = 600_000
const support = (name: string) => join(import.meta.dir, "../support/breakout", name)

/** Attacks that the guards below are about; limits and the heavy ones are of no use here. */
const ofGates = (...gates: Gate[]) =>
  allVectors.filter((vector) => gates.includes(vector.gate) && vector.limit === undefined && vector.alone !== true)

type Means = { arena: Arena; place: BesiegedPlace; vectors: readonly Vector[]; canaries: Canaries }

async function leaksOf(
  vectors: readonly Vector[],
  attack: (means: Means) => Promise<Attempt[]>,
): Promise<(Finding & { leak: string })[]> {
  if (arena === undefined || place === undefined) throw new Error("no arena")
  const canaries = makeCanaries(vectors)
  await arena.take()
  const attempts = await attack({ arena, place, vectors, canaries })
  const captured = await arena.take()
  expect(attempts.length).toBe(vectors.length)
  const evidence = { attempts, captured, canaryOf: canaries.of, canaryStart: canaries.start, secret }
  return judge(vectors, evidence).filter((finding): finding is Finding & { leak: string } => finding.leak !== undefined)
}

/**
 * The names of what leaks, tried again while that is not `enough`: an attack waits less than a second for its answer,
 * which a busy machine may take.
 */
async function leaking(
  vectors: readonly Vector[],
  attack: (means: Means) => Promise<Attempt[]>,
  enough: (names: readonly string[]) => boolean,
): Promise<string[]> {
  const names = new Set<string>()
  for (let round = 0; round < 4 && !enough([...names]); round++)
    for (const { vector } of await leaksOf(vectors, attack)) names.add(vector.name)
  return [...names]
}

let count = 0

/** Attacks in a boundary made of the product's parts, one of them left out. */
const inBoundary = (guard: string) => async (means: Means) => {
  const dir = join(means.arena.dir, `weak-${++count}`)
  const attacks = join(dir, "attacks")
  mkdirSync(attacks, { recursive: true })
  writeAttacks(attacks, means.vectors, means.canaries, means.place.hints)
  const argv = [process.execPath, support("weak-boundary.ts"), guard, dir, attacks]
  const result = await run(means.arena.namespaces.home.enter(argv), { timeout: patience })
  const attempts = readAttempts(result.stdout)
  if (attempts.length === 0) throw new Error(result.stderr)
  return attempts
}

/** Attacks on egress alone, one of its guards left out. */
const onEgress = (guard: string) => async (means: Means) => {
  const argv = [process.execPath, support("weak-egress.ts"), guard, "9099", means.arena.caFile]
  const egress = await means.arena.startInHome(argv, { BREAKOUT_TOKEN: secret })
  try {
    return await attackOutside(means.arena, means.place, means.vectors, means.canaries)
  } finally {
    egress.kill("SIGKILL")
    await egress.exited
  }
}

describe.skipIf(!here)("with a guard of the boundary taken out", () => {
  const direct = ofGates("no network")
  const kernel = ofGates("seccomp")

  test(
    "no attack passes while all stand",
    async () => {
      expect(await leaksOf([...direct, ...kernel], inBoundary("none"))).toEqual([])
    },
    patience,
  )

  test(
    "without the network of its own, messages leave",
    async () => {
      const names = await leaking(direct, inBoundary("network"), ({ length }) => length > 20)
      expect(names.length).toBeGreaterThan(20)
    },
    patience,
  )

  test(
    "without the filter of system calls, the kernel answers",
    async () => {
      const first = "a new user namespace"
      const names = await leaking(kernel, inBoundary("seccomp"), (seen) => seen.length > 2 && seen.includes(first))
      expect(names).toContain(first)
      expect(names.length).toBeGreaterThan(2)
    },
    patience,
  )
})

describe.skipIf(!here)("with a guard of egress taken out", () => {
  const proxied = ofGates(
    "egress: TLS name",
    "egress: address",
    "egress: strip",
    "egress: framing",
    "egress: route",
    "redaction",
  )

  /** What passes all the same proves nothing about a guard. */
  const passing = new Set<string>()

  test(
    "no attack passes while all stand",
    async () => {
      const leaks = await leaksOf(proxied, onEgress("none"))
      for (const { vector } of leaks) passing.add(vector.name)
      expect(leaks.map(({ vector, leak }) => `${vector.name}: ${leak}`)).toEqual([])
    },
    patience,
  )

  for (const [name, { gate }] of Object.entries(guards)) {
    test(
      `without ${name}, attacks pass`,
      async () => {
        const news = (names: readonly string[]) => names.filter((leaked) => !passing.has(leaked))
        expect(news(await leaking(ofGates(gate), onEgress(name), (names) => news(names).length > 0))).not.toEqual([])
      },
      patience,
    )
  }
})

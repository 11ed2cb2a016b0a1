import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseDocument } from "yaml"
import { createManifests } from "../../src/manifest/load.ts"
import { compilePattern } from "../../src/policy/pattern/automaton.ts"
import { interleave, median, medianRatio } from "../support/bench/rounds.ts"
import { hostilePaths, hostilePatterns, hostileUnits, repeated } from "../support/hostile-input.ts"
import type { Bench } from "./bench.ts"

/** Reads each path to its end, and nothing in it repeats within a repetition. */
const plainPattern = "[^/]*z"

const bench: Bench = {
  name: "hostile",
  summary: "input that is made to be slow: manifests against the YAML parser alone, patterns against a plain one",
  async run(context) {
    const rounds = context.quick ? 3 : 9
    const manifests = await worstOf(hostileUnits, (unit) => timeManifest(context.scratch, unit, rounds))
    const patterns = await worstOf(hostilePatterns, (source) => timePattern(source, rounds))
    const rows = [...manifests, ...patterns].map(({ name, ours, peer }) => [JSON.stringify(name), ours, peer] as const)
    return {
      method: `In this process, code warm, medians of ${rounds} interleaved rounds; the worst of ${hostileUnits.length} manifests of 60 KB and of ${hostilePatterns.length} patterns on paths of 2 KB.`,
      findings: [
        { what: "refusing a hostile manifest over parsing it", value: most(manifests), unit: "x", aim: { atMost: 3 } },
        { what: "matching a hostile pattern over a plain one", value: most(patterns), unit: "x", aim: { atMost: 100 } },
      ],
      tables: [{ title: "Hostile input (ms)", columns: ["ours", "peer"], rows }],
      notes: [],
    }
  },
}

interface Against {
  name: string
  ours: number
  peer: number
  ratio: number
}

const most = (all: readonly Against[]): number => Math.max(...all.map(({ ratio }) => ratio))

async function worstOf(names: readonly string[], time: (name: string) => Promise<Against>): Promise<Against[]> {
  const all: Against[] = []
  for (const name of names) all.push(await time(name))
  return all.sort((a, b) => b.ratio - a.ratio).slice(0, 3)
}

async function against(name: string, rounds: number, ours: () => unknown, peer: () => unknown): Promise<Against> {
  const times = await interleave(["ours", "peer"], rounds, async (which) => {
    const from = performance.now()
    await (which === "ours" ? ours() : peer())
    return performance.now() - from
  })
  return { name, ours: median(times.ours), peer: median(times.peer), ratio: medianRatio(times.ours, times.peer) }
}

function timeManifest(scratch: string, unit: string, rounds: number): Promise<Against> {
  const home = join(scratch, "hostile/.bot-bottle")
  mkdirSync(join(home, "bottles"), { recursive: true })
  writeFileSync(join(home, "bottles/dev.md"), `---\n${repeated(unit)}\n---\n`)
  const manifests = createManifests({ home, userHome: join(scratch, "hostile"), cwd: scratch })
  const refused = () => manifests.loadBottles(["dev"]).catch(() => undefined)
  return against(unit, rounds, refused, () => parseDocument(repeated(unit)).errors.length)
}

function timePattern(source: string, rounds: number): Promise<Against> {
  const matcher = (text: string) => {
    const pattern = compilePattern(text)
    if (pattern.kind === "bad") throw new Error(pattern.why)
    return () => hostilePaths.map(pattern.matches)
  }
  return against(source, rounds, matcher(source), matcher(plainPattern))
}

export default bench

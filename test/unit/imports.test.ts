import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"

/** Who may import whom (DESIGN §4), how long a file may be, and what a start may load: held by reading the source. */

const root = join(import.meta.dir, "..", "..")
const files = [...new Bun.Glob("{src,sidecars,scripts,test}/**/*.{ts,tsx}").scanSync({ cwd: root })]
  .filter((path) => !path.includes("node_modules"))
  .sort()
const sources = new Map(files.map((path) => [path, readFileSync(join(root, path), "utf8")]))

interface Import {
  from: string
  /** A path from the root for a file of ours, else the package. */
  to: string
  kind: "static" | "dynamic" | "type"
}

const imports = files.flatMap((from) => importsOf(from, sources.get(from) ?? ""))

function importsOf(from: string, text: string): Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
  const found: Import[] = []
  const keep = (to: string, kind: Import["kind"]) =>
    found.push({ from, to: to.startsWith(".") ? normalize(join(dirname(from), to)) : to, kind })
  const statement = /^(?:import|export)\s+(type\s+)?(?:[\w*{][^"'`;=]*?\sfrom\s+)?"([^"\n]+)"/gm
  for (const [, type, to] of code.matchAll(statement)) keep(to!, type === undefined ? "static" : "type")
  for (const [, to] of code.matchAll(/\bimport\(\s*"([^"\n]+)"\s*\)/g)) keep(to!, "dynamic")
  return found
}

/** Folders (or files) that an area may import, besides itself; `types` only with `import type`. */
interface Rule {
  may: readonly string[]
  types?: readonly string[]
}

const leaves = ["src/lib/", "src/ui/safe-text.ts"]
const contracts = [
  "src/backends/backend.ts",
  "src/providers/provider.ts",
  "src/manifest/types.ts",
  "src/policy/types.ts",
]
const wire = ["sidecars/control.ts", "sidecars/guest/protocol.ts"]

const rules: Readonly<Record<string, Rule>> = {
  "src/lib/": { may: ["src/policy/", "src/ui/safe-text.ts"] },
  "src/policy/": { may: ["src/lib/"] },
  "sidecars/": { may: [...leaves, "src/policy/", "src/proposals/types.ts"], types: contracts },
  "src/manifest/": { may: [...leaves, "src/policy/", "src/backends/backend.ts"], types: contracts },
  "src/backends/": { may: [...leaves, "src/policy/", ...wire], types: contracts },
  // A CLI of the operator's own is described by a file that is read as manifests are.
  "src/providers/": { may: [...leaves, "src/policy/", "src/manifest/", ...wire], types: contracts },
  "src/proposals/": { may: [...leaves, "src/policy/", "src/manifest/"], types: [...contracts, ...wire] },
  "src/audit/": { may: [...leaves, "src/policy/canonical-json.ts"], types: [...contracts, "src/proposals/"] },
  "src/tmux/": { may: leaves },
  "src/forge/": { may: [...leaves, "src/bottle/", "src/proposals/", "src/audit/"] },
  "src/bottle/": {
    may: [
      ...leaves,
      "src/policy/",
      "src/manifest/",
      "src/backends/",
      "src/providers/",
      "src/proposals/",
      "src/audit/",
      "src/tmux/",
    ]
      .concat(wire)
      // The demo's upstream makes its certificate as egress does, and may run beside the sidecars.
      .concat("sidecars/egress/certificates.ts", "sidecars/demo-upstream.ts"),
    types: ["sidecars/"],
  },
  // What a program imports: nothing that needs our runtime or a package.
  "src/api.ts": { may: ["src/api/", "src/lib/errors.ts"] },
  "src/api/": { may: ["src/lib/errors.ts"] },
  "src/ui/": { may: ["src/"], types: ["sidecars/"] },
  "src/commands/": { may: ["src/", ...wire] },
  "src/main.ts": {
    may: [
      "src/lib/",
      "src/commands/_main.ts",
      "src/commands/_failure.ts",
      "src/commands/_api.ts",
      "src/bottle/keeper/main.ts",
      "sidecars/",
    ],
  },
}

/** Reasons for files over 300 lines. */
const longFiles: Readonly<Record<string, string>> = {
  "src/backends/seccomp/aarch64-syscalls.ts": "a table: one system call a line",
  "src/backends/seccomp/x86-64-syscalls.ts": "a table: one system call a line",
  "test/unit/policy/decide.test.ts": "tables of requests and their verdicts",
  "test/security/vectors/machine.ts": "a table of attacks",
  "test/integration/egress/refusals.test.ts": "tables of requests and their refusals",
}

const areaOf = (path: string) => Object.keys(rules).find((area) => path.startsWith(area))
const isOurs = (path: string) => sources.has(path)
const line = ({ from, to, kind }: Import) => `${from} -> ${to} (${kind})`

describe("imports", () => {
  test("every folder below src and sidecars has a rule", () => {
    const without = files.filter((path) => /^(src|sidecars)\//.test(path) && areaOf(path) === undefined)
    expect(without).toEqual([])
  })

  test("go only where DESIGN §4 lets them", () => {
    const wrong = imports.filter((one) => {
      const area = areaOf(one.from)
      if (area === undefined || !/^(src|sidecars)\//.test(one.to) || one.to.startsWith(area)) return false
      const { may, types = [] } = rules[area]!
      const allowed = one.kind === "type" ? [...may, ...types] : may
      return !allowed.some((prefix) => one.to.startsWith(prefix))
    })
    expect(wrong.map(line)).toEqual([])
  })

  test("of commands and ui come from commands, ui and main.ts only, but for safe-text.ts", () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        /^src\/(commands|ui)\//.test(to) &&
        to !== "src/ui/safe-text.ts" &&
        !/^(src\/commands\/|src\/ui\/|src\/main\.ts|test\/|scripts\/)/.test(from),
    )
    expect(wrong.map(line)).toEqual([])
    expect(
      imports.filter(({ from, to }) => from.startsWith("src/ui/") && to.startsWith("src/commands/")).map(line),
    ).toEqual([])
  })

  test("of one backend's or provider's folder never come from its neighbour", () => {
    const folder = (path: string) => /^src\/(?:backends|providers)\/[^/]+\//.exec(path)?.[0]
    const shared = ["src/backends/seccomp/"]
    const wrong = imports.filter(({ from, to }) => {
      const [a, b] = [folder(from), folder(to)]
      return a !== undefined && b !== undefined && a !== b && !shared.includes(b)
    })
    expect(wrong.map(line)).toEqual([])
  })

  test("of tests and scripts come from tests only", () => {
    expect(
      imports.filter(({ from, to }) => /^(src|sidecars)\//.test(from) && /^(test|scripts)\//.test(to)).map(line),
    ).toEqual([])
  })
})

describe("what is loaded at start-up", () => {
  /** Every package and file that loading `entry` loads. */
  function closure(entry: string): Set<string> {
    const seen = new Set([entry])
    for (const path of seen) {
      for (const one of imports) if (one.from === path && one.kind === "static") seen.add(one.to)
    }
    return seen
  }
  const packages = (entry: string) =>
    [...closure(entry)].filter((to) => !isOurs(to) && !/^(node:|bun)/.test(to) && !to.endsWith(".json"))

  test("main.ts loads no package and no command", () => {
    expect(packages("src/main.ts")).toEqual([])
    expect([...closure("src/main.ts")].filter((to) => to.startsWith("src/commands/"))).toEqual([])
  })

  test("the command line loads no package before it knows the command", () => {
    expect(packages("src/commands/_main.ts")).toEqual([])
  })

  test("OpenTUI is known to the dashboard's screen alone, which loads it when it opens", () => {
    const known = imports.filter(({ to }) => to.startsWith("@opentui/"))
    expect(known.map(line).sort()).toEqual([
      "src/ui/dashboard/screen.ts -> @opentui/core (dynamic)",
      "src/ui/dashboard/screen.ts -> @opentui/core (type)",
    ])
  })

  test("no sidecar loads zod or yaml, not even later", () => {
    const heavy = files
      .filter((path) => path.startsWith("sidecars/"))
      .flatMap((path) => [...closure(path)].concat(imports.filter(({ from }) => from === path).map(({ to }) => to)))
      .filter((to) => /^(zod|yaml)(\/|$)/.test(to))
    expect(heavy).toEqual([])
  })
})

describe("source files", () => {
  test("are 300 lines at most, or listed with a reason", () => {
    const long = files.filter(
      (path) => (sources.get(path) ?? "").split("\n").length > 301 && longFiles[path] === undefined,
    )
    expect(long).toEqual([])
  })

  test("have kebab-case names", () => {
    expect(files.filter((path) => !/^(?:[a-z0-9-]+\/)*_?[a-z0-9]+(?:[-.][a-z0-9]+)*\.tsx?$/.test(path))).toEqual([])
  })

  // Without `env` a Bun.spawn gives the child the environment this process was started with, not process.env:
  // what start-up took out (BUN_OPTIONS, BUN_BE_BUN) would be back.
  test("name the environment of every program they start", () => {
    const silent = files
      .filter((path) => /^(src|sidecars)\//.test(path))
      .flatMap((path) =>
        spawnCalls(sources.get(path) ?? "")
          .filter((call) => !/\benv\b/.test(call))
          .map((call) => `${path}: ${call.split("\n")[0]}`),
      )
    expect(silent).toEqual([])
  })
})

/** The text of each `Bun.spawn(…)`, brackets balanced. */
function spawnCalls(text: string): string[] {
  return [...text.matchAll(/\bBun\.spawn(?:Sync)?\(/g)].map(({ index }) => {
    let depth = 0
    for (let at = index; at < text.length; at += 1) {
      if (text[at] === "(") depth += 1
      if (text[at] === ")" && --depth === 0) return text.slice(index, at + 1)
    }
    return text.slice(index)
  })
}

import { architectureOf, compileBpf } from "../../src/backends/seccomp/bpf.ts"
import { profile } from "../../src/backends/seccomp/profile.ts"
import { compilePolicy } from "../../src/policy/compile.ts"
import { decide } from "../../src/policy/decide.ts"
import type { EgressPolicy, RequestFacts, Route } from "../../src/policy/types.ts"
import { createTerminalFilter } from "../../src/ui/terminal-filter/index.ts"
import { interleave, median, medianRatio, type Rounds } from "../support/bench/rounds.ts"
import type { Bench, Finding, Table } from "./bench.ts"

const sizes = [1, 100, 1000] as const

const bench: Bench = {
  name: "policy",
  summary: "the pure parts: decide() with 1, 100 and 1000 routes, the terminal filter, the seccomp compiler",
  async run(context) {
    const rounds = context.quick ? 5 : 15
    const decisions = await timeDecisions(rounds)
    const filter = await timeFilter(rounds)
    const architecture = architectureOf(process.arch) ?? "x86_64"
    const seccomp = await interleave(["seccomp"], rounds, async () =>
      perCall(20, () => compileBpf(profile, architecture)),
    )
    const smallest = decisions[`${sizes[0]} routes`] ?? []
    const growth = sizes.slice(1).map((size): Finding => {
      const value = medianRatio(decisions[`${size} routes`] ?? [], smallest)
      return {
        what: `decide() with ${size} routes over one`,
        value,
        unit: "x",
        ...(size === 1000 ? { aim: { atMost: 3 } } : {}),
      }
    })
    const copy = filter["copy alone"] ?? []
    const rows: Table["rows"][number][] = Object.entries(decisions).map(([name, values]) => [
      `decide(), ${name}`,
      median(values),
    ])
    rows.push(["compileBpf(), the whole profile", median(seccomp.seccomp)])
    return {
      method: `In this process, code warm, medians of ${rounds} interleaved rounds. Requests go to a route in the middle of the list, to a wildcard and to no route at all, in equal parts.`,
      findings: [
        ...growth,
        {
          what: "compiling the seccomp profile",
          value: median(seccomp.seccomp) / 1000,
          unit: "ms",
          aim: { atMost: 5 },
        },
        ...["text with colours", "full-screen redraws", "hostile"].map((name): Finding => {
          return {
            what: `terminal filter, ${name}`,
            value: median(filter[name] ?? []),
            unit: "MB/s",
            aim: { atLeast: 50 },
          }
        }),
      ],
      tables: [
        { title: "Pure functions", columns: ["µs a call"], rows },
        {
          title: "Terminal filter",
          columns: ["MB/s", "of copying"],
          rows: Object.entries(filter).map(
            ([name, values]) => [name, Math.round(median(values)), medianRatio(values, copy)] as const,
          ),
        },
      ],
      notes: [],
    }
  },
}

/** Microseconds a call. */
function perCall(calls: number, call: (index: number) => unknown): number {
  const from = performance.now()
  for (let index = 0; index < calls; index++) call(index)
  return ((performance.now() - from) / calls) * 1000
}

function timeDecisions(rounds: number): Promise<Rounds<string, number>> {
  const cases = new Map(
    sizes.map((size) => {
      const middle = `host-${size >> 1}.example`
      const policy = compilePolicy(policyOf(size))
      const requests = [
        requestTo(middle, "/v1/things/42"),
        requestTo(`deep.${middle.replace("host", "wild")}`, "/anything"),
        requestTo("elsewhere.example", "/"),
      ]
      return [`${size} routes`, { policy, requests }]
    }),
  )
  return interleave([...cases.keys()], rounds, async (name) => {
    const one = cases.get(name)
    if (one === undefined) return Number.NaN
    return perCall(30_000, (index) => decide(one.requests[index % 3] ?? requestTo("x.example", "/"), one.policy))
  })
}

/** As many routes: every second a wildcard, all with paths and methods. */
function policyOf(size: number): EgressPolicy {
  const routes = Array.from({ length: size }, (_, index): Route[] => {
    const matches = [{ paths: [{ type: "prefix", value: "/v1" }] as const, methods: ["GET", "POST"] }]
    const usual = { scheme: "https", port: 443, matches } as const
    return index % 2 === 0 || size === 1 || index === size >> 1
      ? [{ host: `host-${index}.example`, ...usual }]
      : [{ host: `*.wild-${index}.example`, ...usual }]
  }).flat()
  return { routes, allowlist: [], log: 0, supervise: true }
}

function requestTo(host: string, path: string): RequestFacts {
  const headers = [
    ["Host", host],
    ["Accept", "*/*"],
    ["User-Agent", "bench"],
  ] as const
  return { scheme: "https", host, port: 443, method: "GET", path, query: "", headers }
}

const megabyte = 1024 * 1024

function timeFilter(rounds: number): Promise<Rounds<string, number>> {
  const kinds: Record<string, Buffer> = {
    "text with colours": repeat("\x1b[32mok\x1b[0m  test/unit/policy/decide.test.ts \x1b[2m(12 ms)\x1b[22m\r\n"),
    "full-screen redraws": repeat(
      "\x1b[?2026h\x1b[H\x1b[2J\x1b[38;2;215;119;87m╭──────────╮\x1b[39m\x1b[3;7H\x1b[1mThinking…\x1b[22m\x1b[K\x1b[?2026l",
    ),
    hostile: repeat("\x1b]0;title\x07\x1b]52;c;Y2xpcA==\x07\x1bP+q544e\x1b\\plain\x1b[6n\x1b[?1049h\x9b2J"),
  }
  const chunk = 16 * 1024
  const names = [...Object.keys(kinds), "copy alone"]
  return interleave(names, rounds, async (name) => {
    const bytes = kinds[name] ?? kinds["text with colours"] ?? Buffer.alloc(0)
    const filter = name === "copy alone" ? { push: (part: Uint8Array) => Buffer.from(part) } : createTerminalFilter()
    const from = performance.now()
    for (let at = 0; at < bytes.length; at += chunk) filter.push(bytes.subarray(at, at + chunk))
    return bytes.length / 1e6 / ((performance.now() - from) / 1000)
  })
}

const repeat = (text: string): Buffer => Buffer.alloc(2 * megabyte, text)

export default bench

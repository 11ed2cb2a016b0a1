import {
  type EgressLab,
  type Measured,
  type OriginName,
  openEgressLab,
  type Task,
} from "../support/bench/egress-lab.ts"
import { interleave, median, medianDifference, medianRatio, type Rounds } from "../support/bench/rounds.ts"
import type { Bench, BenchContext, Finding, Table } from "./bench.ts"

type Seen = Rounds<string, Measured>

const bench: Bench = {
  name: "egress",
  summary: "the proxy against direct, mitmproxy and squid with bump: requests, connections, transfers, memory",
  async run(context) {
    const lab = await openEgressLab(context)
    const rounds = context.quick ? 3 : 7
    const seconds = context.quick ? 0.6 : 1.5
    const [down, up] = context.quick ? [100e6, 50e6] : [500e6, 200e6]
    const turn = async (what: string, task: Task, origin?: OriginName, times = rounds) => {
      context.say(what)
      // One round to warm up, which does not count.
      for (const subject of lab.subjects)
        await lab.measure(subject, { ...task, ...("seconds" in task ? { seconds: 0.3 } : {}) }, origin)
      return interleave(lab.subjects, times, (subject) => lab.measure(subject, task, origin))
    }
    const requests = await turn("kept-alive requests", { kind: "requests", connections: 16, seconds })
    const single = await turn("one request at a time", { kind: "requests", connections: 1, seconds })
    const connections = await turn("new connections", { kind: "connections", connections: 8, seconds })
    const bulk = context.quick ? 3 : 5
    const downs = await turn("downloads", { kind: "down", bytes: down }, "bun", bulk)
    const fromNginx = lab.hasNginx
      ? await turn("downloads from nginx", { kind: "down", bytes: 500e6 }, "nginx", context.quick ? 1 : bulk)
      : undefined
    const ups = await turn("uploads", { kind: "up", bytes: up }, "bun", bulk)
    const slow = await measureSlowReaders(lab, context)
    return {
      method: [
        `Load generator, TLS upstream and each proxy are processes of their own on this machine (${navigator.hardwareConcurrency} CPUs), joined over loopback; the generator is one Bun process for all, through CONNECT (egress on its Unix socket, the peers on TCP).`,
        `Medians of ${rounds} interleaved rounds of ${seconds} s (transfers: ${bulk} rounds); a ratio is the median of the rounds' ratios.`,
        "The upstream is a raw Bun TLS server, several times faster than any proxy here, and on few CPUs it competes with the proxy for them; the download from nginx shows what a common server makes of that.",
        "CPU is that of the proxy's process tree (direct: of the upstream), from /proc: what other load on the machine moves least.",
      ].join("\n"),
      findings: [
        ...compareRates(requests, single, connections),
        ...compareTransfers(downs, ups, fromNginx),
        ...[...slow.growth]
          .filter(([name]) => name.startsWith("egress"))
          .map(
            ([name, value]): Finding => ({
              what: `growth of memory under a slow reader, ${name}`,
              value,
              unit: "MB",
              aim: { atMost: 16 },
            }),
          ),
      ],
      tables: [
        rateTable("1 KB requests on 16 kept-alive connections", requests),
        rateTable("1 KB requests on one kept-alive connection", single),
        rateTable("New connections with one request each, 8 at a time", connections),
        transferTable(`${down / 1e6} MB down`, downs),
        ...(fromNginx === undefined ? [] : [transferTable("500 MB down from nginx", fromNginx)]),
        transferTable(`${up / 1e6} MB up`, ups),
        slow.table,
      ],
      notes: lab.notes,
    }
  },
}

const rate = (seen: Measured) => seen.count / seen.seconds
const speed = (seen: Measured) => seen.bytes / seen.seconds / 1e6
const cpuEach = (seen: Measured) => (seen.cpu / seen.count) * 1000

function over(seen: Seen, subject: string, other: string, pick: (one: Measured) => number): number | undefined {
  const [ours, theirs] = [seen[subject], seen[other]]
  return ours === undefined || theirs === undefined ? undefined : medianRatio(ours.map(pick), theirs.map(pick))
}

/** A ratio, unless one of its sides was not measured. */
function ratio(what: string, value: number | undefined, aim?: Finding["aim"]): Finding[] {
  return value === undefined ? [] : [{ what, value, unit: "x", ...(aim === undefined ? {} : { aim }) }]
}

function compareRates(requests: Seen, single: Seen, connections: Seen): Finding[] {
  const added = (pick: (one: Measured) => number) =>
    medianDifference((single.egress ?? []).map(pick), (single.direct ?? []).map(pick))
  return [
    ...ratio("requests a second, egress over mitmproxy", over(requests, "egress", "mitmproxy", rate), { atLeast: 12 }),
    ...ratio("requests a second, egress over squid", over(requests, "egress", "squid", rate), { atLeast: 2 }),
    ...ratio("CPU a request, egress over squid", over(requests, "egress", "squid", cpuEach)),
    ...ratio(
      "requests a second, with a secret to inject and search for over without",
      over(requests, "egress + secret", "egress", rate),
    ),
    {
      what: "added p50 of a request, egress less direct",
      value: added((one) => one.p50),
      unit: "ms",
      aim: { atMost: 0.2 },
    },
    { what: "added p99 of a request, egress less direct", value: added((one) => one.p99), unit: "ms" },
    ...ratio("new connections a second, egress over mitmproxy", over(connections, "egress", "mitmproxy", rate)),
    ...ratio("new connections a second, egress over squid", over(connections, "egress", "squid", rate)),
    ...ratio("new connections a second, egress over direct", over(connections, "egress", "direct", rate)),
  ]
}

function compareTransfers(downs: Seen, ups: Seen, fromNginx: Seen | undefined): Finding[] {
  return [
    ...ratio("download, egress over direct", over(downs, "egress", "direct", speed), { atLeast: 0.9 }),
    ...(fromNginx === undefined
      ? []
      : ratio("download from nginx, egress over direct", over(fromNginx, "egress", "direct", speed), { atLeast: 0.9 })),
    ...ratio("download, egress over squid", over(downs, "egress", "squid", speed)),
    ...ratio("download, egress over mitmproxy", over(downs, "egress", "mitmproxy", speed)),
    ...ratio("download, with a secret to search for over without", over(downs, "egress + secret", "egress", speed)),
    ...ratio("upload, egress over direct", over(ups, "egress", "direct", speed)),
    ...ratio("upload, egress over squid", over(ups, "egress", "squid", speed)),
  ]
}

function rateTable(title: string, seen: Seen): Table {
  const row = (name: string, values: readonly Measured[]) => {
    const middle = (pick: (one: Measured) => number) => median(values.map(pick))
    return [
      name,
      Math.round(middle(rate)),
      middle((one) => one.p50),
      middle((one) => one.p99),
      middle(cpuEach),
    ] as const
  }
  const rows = Object.entries(seen).map(([name, values]) => row(name, values))
  return { title, columns: ["a second", "p50 ms", "p99 ms", "CPU ms each"], rows }
}

function transferTable(title: string, seen: Seen): Table {
  const rows = Object.entries(seen).map(([name, values]) => {
    return [name, Math.round(median(values.map(speed))), median(values.map((one) => one.cpu))] as const
  })
  return { title, columns: ["MB/s", "CPU s"], rows }
}

/** What a proxy comes to hold while a client reads a 500 MB answer at 1 MB/s. */
async function measureSlowReaders(
  lab: EgressLab,
  context: BenchContext,
): Promise<{ table: Table; growth: Map<string, number> }> {
  const growth = new Map<string, number>()
  const rows: Table["rows"][number][] = []
  for (const subject of lab.subjects.slice(1)) {
    context.say(`a slow reader of ${subject}`)
    const before = lab.memory(subject).private
    let peak = before
    const timer = setInterval(() => {
      peak = Math.max(peak, lab.memory(subject).private)
    }, 50)
    try {
      await lab.measure(subject, { kind: "slow", bytesPerSecond: 1e6, seconds: context.quick ? 2 : 5 })
    } finally {
      clearInterval(timer)
    }
    growth.set(subject, peak - before)
    rows.push([subject, before, peak])
  }
  return { growth, table: { title: "Private memory under a slow reader (MB)", columns: ["before", "peak"], rows } }
}

export default bench

import { describe, expect, test } from "bun:test"
import { columns } from "../../../../src/ui/dashboard/view/cells.ts"
import { view } from "../../../../src/ui/dashboard/view/view.ts"
import { agent, benchDashboard, proposal } from "../../../support/dashboard.ts"

const sizes = [
  { cols: 80, rows: 24 },
  { cols: 300, rows: 100 },
  { cols: 20, rows: 6 },
  { cols: 1, rows: 1 },
]
const many = (count: number) => Array.from({ length: count }, (_, at) => at)
const fill = (size: { cols: number; rows: number }) =>
  benchDashboard(size)
    .send({ kind: "proposals", list: [], at: 0 })
    .send({ kind: "proposals", list: many(500).map((at) => proposal(`p${at}`)), at: 0 })
    .send({ kind: "agents", list: many(100).map((at) => agent(`a${at}-xxxxx`, { agent: "漢字のエージェント" })) })

describe("the screen", () => {
  for (const size of sizes) {
    test.each([[[]], [["?"]], [["l"]], [["/"]], [["x"]], [["return"]]] as string[][][])(
      `of ${size.cols} x ${size.rows} is filled and never overflows, after %p`,
      (keys) => {
        const bench = fill(size).keys(...keys)
        const rows = view(bench.state, bench.now)
        expect(rows).toHaveLength(size.rows)
        for (const row of rows) expect(columns(row.map(({ text }) => text).join(""))).toBeLessThanOrEqual(size.cols)
      },
    )
  }

  test("scrolls each pane to its cursor, also after a resize", () => {
    const bench = fill({ cols: 80, rows: 24 }).keys("G")
    expect(bench.screen()).toMatch(/^> .*p499\.example/m)
    bench.keys("tab", "G")
    expect(bench.screen()).toMatch(/^> +a99-xxxxx/m)
    bench.send({ kind: "size", size: { cols: 80, rows: 10 } })
    expect(bench.screen()).toMatch(/^> +a99-xxxxx/m)
  })

  test("marks what is degraded, starting or silent by a word, and the one beside by a star", () => {
    const bench = benchDashboard()
      .send({
        kind: "agents",
        list: [
          agent("one-aaaaa", { degraded: true, sidecars: [{ name: "egress", state: "restarting", restarts: 3 }] }),
          agent("two-bbbbb", { state: "starting", sidecars: [] }),
          agent("three-ccccc", { state: "?" }),
        ],
      })
      .send({ kind: "beside", slug: "two-bbbbb" })
    const screen = bench.screen()
    expect(screen).toContain("1 degraded")
    expect(screen).toMatch(/one-aaaaa.*\(degraded\) egress:restarting/)
    expect(screen).toMatch(/\* two-bbbbb.*\(starting\)/)
    expect(screen).toMatch(/three-ccccc.*\(no answer\)/)
  })

  test("says the time of what came today and the day of what came before, in as many columns", () => {
    const bench = benchDashboard().send({ kind: "agents", list: [agent("one-aaaaa")] })
    const today = bench.screen()
    expect(today).toMatch(/namespace \d\d:\d\d egress/)
    bench.now = new Date(bench.now.getTime() + 3 * 86_400_000)
    expect(bench.screen()).toMatch(/namespace \d\d-\d\d egress/)
    expect(bench.screen().replace(/\d\d-\d\d/, "")).toBe(today.replace(/\d\d:\d\d/, ""))
  })
})

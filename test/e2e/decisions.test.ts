import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type AskingBottle, startAskingBottle } from "../support/asking-bottle.ts"
import { makePlace } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

const here = requirePart("binary") && requirePart("bwrap") && requirePart("curl")

/** What an operator decides that cannot be applied, that two decide at once, and what else an approval changes. */
describe.skipIf(!here)("a decision in a real bottle", () => {
  const place = makePlace("user")
  let bottle: AskingBottle
  beforeAll(async () => {
    bottle = await startAskingBottle(place)
  }, 300_000)
  afterAll(() => bottle.close())

  /** Nothing came of it: it is open, unanswered, and no line says otherwise. */
  async function expectOpen(id: string, lines: number): Promise<void> {
    expect(await bottle.openIds()).toContain(id)
    expect(readdirSync(join(place.botHome, "queue", bottle.slug))).not.toContain(`${id}.response.json`)
    expect(bottle.audit().length).toBe(lines)
    expect(await bottle.call("proposal-status", { id })).toContain('"status":"pending"')
  }

  test("that a sidecar does not carry out stays open and says why; what it hung over is not done later; the retry works", async () => {
    const id = await bottle.ask("/hung")
    const pid = egressOf(place.dir)
    const lines = bottle.audit().length
    process.kill(pid, "SIGSTOP")
    const failed = await bottle.decide("approve", id, "--yes")
    expect(failed.code, failed.stderr).toBe(7)
    expect(failed.stderr).toContain("not in force, and still open: egress ended: it did not answer within 10 seconds")
    await expectOpen(id, lines)
    await waitFor("egress to be back", async () => (await bottle.get("/ok")) === "200")
    expect(await bottle.get("/hung")).toBe("403")
    await expectOpen(id, lines)
    const again = await bottle.decide("approve", id, "--yes")
    expect(again.code, again.stderr).toBe(0)
    expect(await bottle.get("/hung")).toBe("200")
  }, 300_000)

  test("whose text is none, or names a credential without a value, stays open and says why; the retry works", async () => {
    const id = await bottle.ask("/text")
    const lines = bottle.audit().length
    const own = join(place.work, "own.yaml")
    const modify = (text: string, ...more: string[]) => {
      writeFileSync(own, text, { mode: 0o644 })
      return bottle.decide("modify", id, "--file", own, "--yes", ...more)
    }
    const keyed = "host: new.test\nauth: {scheme: Bearer, token_ref: NEW_SLOT}\n"
    for (const [why, result] of [
      ["not done: ", await modify("host: [\n")],
      ["not done: ", await modify("host: api.test\npath_allowlist: [text]\n")],
      ["not done: ", await modify(keyed)],
      ["no value for NEW_SLOT", await modify(keyed, "--with-credential-to", "new.test")],
    ] as const) {
      expect(result.code, result.stderr).not.toBe(0)
      expect(result.stderr).toContain(why)
      expect(result.stderr).not.toContain("    at ")
      await expectOpen(id, lines)
    }
    const done = await modify("host: api.test\npath_allowlist: [/other]\n")
    expect(done.code, done.stderr).toBe(0)
    expect([await bottle.get("/text"), await bottle.get("/other")]).toEqual(["403", "200"])
    expect(bottle.audit().at(-1)).toMatchObject({ component: "egress", operator_action: "modify" })
  }, 300_000)

  test("is one operator's: of an approval and a rejection at once one wins; an old hash and an old id decide nothing", async () => {
    const id = await bottle.ask("/raced")
    const { hash } = JSON.parse((await bottle.decide("show", id, "--json")).stdout)
    const both = await Promise.all([
      bottle.decide("approve", id, "--proposal-hash", hash),
      bottle.decide("reject", id, "--proposal-hash", hash, "--reason", "no"),
    ])
    expect(both.map(({ code }) => code).sort()).toEqual([0, 6])
    expect(await bottle.get("/raced")).toBe(both[0].code === 0 ? "200" : "403")
    const replayed = await bottle.decide("approve", id, "--yes")
    expect([replayed.code, replayed.stderr.includes("already ")]).toEqual([6, true])

    const other = await bottle.ask("/moved")
    const seen = JSON.parse((await bottle.decide("show", other, "--json")).stdout)
    expect((await bottle.decide("approve", await bottle.ask("/meanwhile"), "--yes")).code).toBe(0)
    const lines = bottle.audit().length
    const stale = await bottle.decide("approve", other, "--proposal-hash", seen.hash)
    expect(stale.code, stale.stderr).toBe(7)
    await expectOpen(other, lines)
    expect((await bottle.decide("reject", other, "--reason", "moved")).code).toBe(0)
  }, 300_000)

  test("shows in the agent's copy of the policy once it is in force, and with --save in the file, where all else stays", async () => {
    const config = "cat /etc/bot-bottle/current-config/routes.yaml"
    expect((await bottle.inside(config)).stdout).not.toContain("/saved")
    const file = join(place.botHome, "bottles", "dev.md")
    const before = readFileSync(file, "utf8")
    const saved = await bottle.decide("approve", await bottle.ask("/saved"), "--save", "--yes")
    expect(saved.code, saved.stderr).toBe(0)
    await waitFor("the copy", async () => (await bottle.inside(config)).stdout.includes("/saved"))
    const after = readFileSync(file, "utf8")
    const added = after.split("\n").filter((line) => !before.split("\n").includes(line))
    expect(added.join("\n")).toContain("/saved")
    expect(
      after
        .split("\n")
        .filter((line) => !added.includes(line))
        .join("\n"),
    ).toBe(before)
    for (const line of added) expect(saved.stdout + saved.stderr).toContain(line.trim())
    expect((await place.bottle(["start", "--dry-run", "--headless", "--bottle", "dev", "--", "true"])).code).toBe(0)
  }, 300_000)

  test("is none for who floods: thousands of proposals and ten megabytes of reasons are a few in the list", async () => {
    const flood = `
import http.client, json
def call(host, why):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "egress-block", "arguments": {"host": host, "justification": why}}})
    try:
        c = http.client.HTTPConnection("127.0.0.1", 9100, timeout=20)
        c.request("POST", "/mcp", body, {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"})
        return c.getresponse().status
    except OSError:
        return 0
for i in range(200): call(f"h{i}.flood.test", "flood")
print(call("big.flood.test", "x" * 10 * 2**20))`
    const { stdout } = await bottle.inside(`python3 -c '${flood}'`)
    expect(["413", "0"]).toContain(stdout.trim())
    const open = await bottle.openIds()
    expect(open.length).toBeGreaterThan(0)
    expect(open.length).toBeLessThanOrEqual(20)
    const listed = await bottle.decide("list")
    expect(listed.stdout.trim().split("\n").length).toBe(open.length)
    expect(listed.stdout.length).toBeLessThan(10_000)
    for (const id of open) expect((await bottle.decide("reject", id, "--reason", "flood")).code).toBe(0)
    expect((await place.bottle(["audit", "verify", bottle.slug])).code).toBe(0)
  }, 300_000)
})

describe.skipIf(!here)("a proposal that nobody answers in time", () => {
  const place = makePlace("user")
  test("expires, and its agent hears so", async () => {
    const bottle = await startAskingBottle(place, "supervise: {expire: 1s}")
    try {
      const given = { host: "api.test", path_allowlist: ["/late"], justification: "e2e" }
      expect(await bottle.call("egress-block", given, 40)).toContain("expired")
      expect(await bottle.openIds()).toEqual([])
      expect(await bottle.get("/late")).toBe("403")
      expect(bottle.audit().at(-1)).toMatchObject({ operator_action: "expire" })
    } finally {
      await bottle.close()
    }
  }, 300_000)
})

/** The process of the place's egress sidecar: what descends from a program that is started there. */
function egressOf(dir: string): number {
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8")
    } catch {
      // It ended meanwhile.
      return ""
    }
  }
  const parent = (pid: string) => /\) \S (\d+) /.exec(read(pid, "stat"))?.[1] ?? "0"
  const belongs = (pid: string): boolean =>
    Number(pid) > 1 && (read(pid, "cmdline").startsWith(dir) || belongs(parent(pid)))
  const found = readdirSync("/proc").find(
    (pid) => /^[^\0]*\0sidecar\0--child\0egress\0/.test(read(pid, "cmdline")) && belongs(pid),
  )
  if (found === undefined) throw new Error("no egress sidecar")
  return Number(found)
}

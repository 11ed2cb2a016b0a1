import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { type AskingBottle, startAskingBottle } from "../support/asking-bottle.ts"
import { makePlace } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

const here = requirePart("binary") && requirePart("bwrap") && requirePart("curl")

/** Shown by requests before and after, with the compiled binary: what an approval opens, and that it ends. */
describe.skipIf(!here)("an approval in a real bottle", () => {
  const place = makePlace("user")
  let bottle: AskingBottle
  beforeAll(async () => {
    bottle = await startAskingBottle(place)
  }, 300_000)
  afterAll(() => bottle.close())

  const get = (path: string) => bottle.get(path)
  const ask = (path: string) => bottle.ask(path)
  const inside = (script: string) => bottle.inside(script)
  async function approve(id: string, ...flags: string[]): Promise<number> {
    const result = await place.bottle(["proposals", "approve", id, "--yes", "--json", ...flags])
    expect(result.code, result.stdout + result.stderr).toBe(0)
    return JSON.parse(result.stdout).outcome.seq
  }

  test("for one request lets one of two at the same time pass, and then none", async () => {
    expect(await get("/once")).toBe("403")
    await approve(await ask("/once"), "--once")
    const curl = "curl -s -o /dev/null -w '%{http_code} ' https://api.test/once"
    const both = await inside(`${curl} & ${curl} & wait`)
    expect(both.stdout.trim().split(" ").sort()).toEqual(["200", "403"])
    expect(await get("/once")).toBe("403")
  }, 300_000)

  test("is taken back by undo", async () => {
    const seq = await approve(await ask("/undone"))
    expect(await get("/undone/x")).toBe("200")
    expect((await place.bottle(["undo", String(seq), bottle.slug])).code).toBe(0)
    expect(await get("/undone/x")).toBe("403")
  }, 300_000)

  test("for a while ends by itself, and the one beside it stays", async () => {
    await approve(await ask("/kept"))
    await approve(await ask("/while"), "--for", "4s")
    await waitFor("its end", async () => (await get("/while")) === "403")
    expect(await get("/kept")).toBe("200")
  }, 300_000)

  test("is asked for by nobody but the sidecar: inside there is no queue, no state and no keeper", async () => {
    const found = await inside(
      `ls ${place.botHome} ${join(place.dir, "run")} 2>&1; echo; find / -name '*.sock' -not -path '/proc/*' 2>/dev/null`,
    )
    expect(found.stdout).not.toContain("queue")
    expect(found.stdout).not.toContain("keeper.sock")
    expect(found.stdout).not.toContain("control")
  }, 300_000)
})

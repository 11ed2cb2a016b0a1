import { expect, test } from "bun:test"
import { mkdtempSync, rmdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { requirePart } from "../../support/require.ts"
import { isRoot } from "./test-bottle.ts"

const repository = join(import.meta.dir, "../../..")
/** Nobody's id on a common system. */
const ordinary = "10001"

/**
 * Root runs the other files of this folder once more as an ordinary user. The repository may lie where only root
 * goes, so it is shown to that user at another place.
 */
test.skipIf(!isRoot || !requirePart("bwrap"))(
  "all of this holds for an ordinary user too",
  async () => {
    const place = mkdtempSync(join(tmpdir(), "bottle-repository-"))
    try {
      const room = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", repository, place, "--chdir", place, "--"]
      const user = ["setpriv", "--reuid", ordinary, "--regid", ordinary, "--clear-groups", "--"]
      const bun = join(place, "node_modules/bun/bin/bun.exe")
      const run = Bun.spawn([...room, ...user, bun, "test", "test/integration/namespace"], {
        env: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: "/nonexistent" },
        stdio: ["ignore", "pipe", "pipe"],
      })
      const [code, said] = await Promise.all([run.exited, new Response(run.stderr).text()])
      if (code !== 0) console.error(said)
      expect(said).toMatch(/\n\s*0 fail\n/)
      expect(code).toBe(0)
    } finally {
      Bun.spawnSync(["chmod", "700", place])
      rmdirSync(place)
    }
  },
  300_000,
)

import { describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { basicEnv } from "../support/command.ts"
import { requirePart } from "../support/require.ts"
import { tempDir } from "../support/temp.ts"
import { laterTmux } from "../support/tmux/later.ts"

const root = join(import.meta.dir, "..", "..")
const isDebian = existsSync("/etc/apt/sources.list.d/debian.sources") && process.arch === "x64"
if (!isDebian) console.error("skipped: later versions of tmux come from Debian's packages for x86-64")

/** Everything that drives tmux, on the versions of Debian's later suites: 3.5a, 3.7 with floating panes, and newer. */
describe.skipIf(!isDebian || !requirePart("tmux") || !requirePart("binary"))("tmux of Debian", () => {
  const dir = tempDir("tmux-versions")
  for (const suite of ["trixie", "forky", "sid"]) {
    test(suite, async () => {
      const { bin, version } = await laterTmux(suite, dir)
      const env = { ...basicEnv(), PATH: `${bin}:${process.env.PATH}` }
      const argv = [process.execPath, "test", "--timeout=60000", "./test/e2e/tmux/"]
      const child = Bun.spawn(argv, { cwd: root, env, stdin: "ignore", stdout: "ignore", stderr: "pipe" })
      const [said, code] = await Promise.all([child.stderr.text(), child.exited])
      console.error(`${version}: ${/\d+ pass/.exec(said)?.[0]}, ${/\d+ fail/.exec(said)?.[0]}`)
      expect(code === 0 ? "" : said).toBe("")
    }, 600_000)
  }
})

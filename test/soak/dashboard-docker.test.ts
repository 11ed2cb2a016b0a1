import { expect, test } from "bun:test"
import { join } from "node:path"
import { basicEnv } from "../support/command.ts"
import { useEngine } from "../support/docker/engine.ts"
import { importPackages, whyNoHostImage } from "../support/docker/host-image.ts"
import { requirePart } from "../support/require.ts"
import { tempDir } from "../support/temp.ts"

const root = join(import.meta.dir, "..", "..")
const noImage = whyNoHostImage()
if (noImage !== undefined) console.error(`skipped: ${noImage}`)
const able = ["dockerd", "tmux", "binary", "bwrap", "curl"].every(requirePart) && noImage === undefined
const engine = useEngine(able)

/** The dashboard's tests, key by key, on real bottles in containers. */
test.skipIf(!able)(
  "the dashboard on docker",
  async () => {
    await importPackages(engine, tempDir("dashboard-docker"), "agent:1", ["curl", "coreutils", "dash"])
    const argv = [
      process.execPath,
      "test",
      "--timeout=180000",
      "./test/e2e/tmux/dashboard.test.ts",
      "./test/e2e/tmux/dashboard-keys.test.ts",
    ]
    const env = { ...basicEnv(), BOTTLE_TEST_ENGINE: engine.host }
    const child = Bun.spawn(argv, { cwd: root, env, stdin: "ignore", stdout: "ignore", stderr: "pipe" })
    const [said, code] = await Promise.all([child.stderr.text(), child.exited])
    console.error(
      said
        .split("\n")
        .filter((line) => /^\((pass|fail)\)|^ *\d+ (pass|fail)$/.test(line))
        .join("\n"),
    )
    expect(code === 0 ? "" : said).toBe("")
  },
  900_000,
)

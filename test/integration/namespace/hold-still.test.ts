import { afterEach, describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { goOn, holdStill } from "../../../src/backends/namespace/hold-still.ts"
import { childrenOf, descendantsOf, stateOf } from "../../../src/backends/namespace/host-processes.ts"
import { basicEnv, run } from "../../support/command.ts"
import { requirePart } from "../../support/require.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"

/** Starts a program as posix_spawn does: this process waits until the other one has opened the pipe and runs. */
const spawning = `
import os, sys, time
opening = [(os.POSIX_SPAWN_OPEN, 1, sys.argv[1], os.O_WRONLY, 0)]
os.posix_spawn("/bin/sleep", ["sleep", "600"], {}, file_actions=opening)
time.sleep(600)
`

describe("processes held still", () => {
  const dir = tempDir("hold-still")
  let child: Bun.Subprocess | undefined
  afterEach(() => {
    const root = child?.pid ?? 0
    const below = descendantsOf(root)
    child?.kill("SIGKILL")
    // Those that it does not wait for; the others may be gone.
    Bun.spawnSync(["kill", "-9", ...below.map(String)], { env: basicEnv(), stderr: "ignore" })
  })
  const start = (argv: string[]) => {
    child = Bun.spawn(argv, { env: basicEnv(), stdio: ["ignore", "ignore", "inherit"] })
    return child.pid
  }
  const states = (root: number) => [root, ...descendantsOf(root)].map(stateOf)

  test("that start others all the time stand still together, and go on together", async () => {
    const tick = join(dir, "tick")
    const root = start(["sh", "-c", `while :; do date +%N > ${tick}; done`])
    const ticks = () => {
      try {
        return readFileSync(tick, "utf8")
      } catch {
        return ""
      }
    }
    await waitFor("its work", () => ticks() !== "")
    for (let round = 0; round < 20; round++) {
      const before = await holdStill(root)
      const held = ticks()
      await Bun.sleep(20)
      expect(ticks()).toBe(held)
      goOn(root, before)
      await waitFor("its going on", () => !["", held].includes(ticks()))
    }
  }, 300_000)

  test.skipIf(!requirePart("python3"))(
    "may be waiting for one that has not become a program yet",
    async () => {
      const fifo = join(dir, "fifo")
      await run(["mkfifo", fifo])
      const root = start(["python3", "-c", spawning, fifo])
      const spawned = await waitFor("its child", () => (stateOf(root) === "D" ? childrenOf(root)[0] : undefined))
      const holding = holdStill(root)
      await Bun.sleep(100)
      const end = await open(fifo, "r")
      await holding
      expect(states(root)).toEqual(["T", "T"])
      expect(readFileSync(`/proc/${spawned}/cmdline`, "utf8")).toStartWith("sleep\0")
      await end.close()
    },
    300_000,
  )

  test("leave as it was what stood still by itself", async () => {
    const root = start(["sh", "-c", "sleep 600 & kill -STOP $!; wait"])
    const stopped = await waitFor("its standing", () => childrenOf(root).find((pid) => stateOf(pid) === "T"))
    goOn(root, await holdStill(root))
    await waitFor("its going on", () => stateOf(root) === "S")
    expect(stateOf(stopped)).toBe("T")
  })
})

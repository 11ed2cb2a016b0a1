import { mkdtempSync } from "node:fs"
import { join } from "node:path"
import { pushBadge } from "../../../src/tmux/badge.ts"
import { openTmux } from "../../../src/tmux/tmux.ts"
import type { BenchContext } from "../../bench/bench.ts"
import { startTmux } from "../tmux.ts"
import { waitFor } from "../wait.ts"
import { makeBenchPlace } from "./place.ts"

/** A bottle whose agent asks when it is told to, beside a tmux that has loaded the plugin and somebody looks at. */
export interface BenchDesk {
  notify(value: string): Promise<void>
  /** Milliseconds from the call to the badge that counts it; the proposal is rejected afterwards. */
  callToBadge(): Promise<number>
  /** The same until the popup's text is on the screen; it is closed afterwards. */
  callToPopup(): Promise<number>
  push(rounds: number): Promise<number[]>
}

/** Asks for a host of each line it reads, and says just before when: clocks inside and outside are the same. */
const agent = `import json, sys, threading, time, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def ask(host):
    call = {"name": "egress-block", "arguments": {"host": host, "justification": "bench"}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}).encode()
    kinds = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    print(time.time() * 1000, flush=True)
    opener.open(urllib.request.Request("http://127.0.0.1:9100/mcp", body, kinds), timeout=600).read()
for line in sys.stdin:
    threading.Thread(target=ask, args=(line.strip(),), daemon=True).start()
`

export async function startDesk(bin: string, context: BenchContext): Promise<BenchDesk> {
  const place = makeBenchPlace(mkdtempSync(join(context.scratch, "desk-")))
  const { env } = place
  const inner = await startTmux(["cat"], { env, cols: 100, rows: 30 })
  const outer = await startTmux(["env", "-u", "TMUX", "tmux", "-S", inner.socket, "attach"], { cols: 100, rows: 31 })
  context.defer(async () => {
    await outer.stop()
    await inner.stop()
  })
  const bottle = (...args: string[]) =>
    Bun.spawnSync([bin, ...args], { env: { ...env, TMUX: `${inner.socket},1,0` }, cwd: place.work })
  await inner.tmux("set-option", "-g", "@bottle-notify", "none")
  if (bottle("tmux", "load").exitCode !== 0) throw new Error("the plugin did not load")
  const argv = ["start", "--headless", "--discard", "--bottle", "bench", "--", "sleep", "3600"]
  const started = Bun.spawn([bin, ...argv], { env, cwd: place.work, stdio: ["ignore", "ignore", "ignore"] })
  const active = () =>
    JSON.parse(bottle("list", "--json").stdout.toString()).active as { slug: string; state: string }[]
  const { slug } = await waitFor("a bottle", () => active().find(({ state }) => state === "running"), 60_000)
  const asking = Bun.spawn([bin, "exec", "-i", slug, "--", "python3", "-c", agent], {
    ...{ env, cwd: place.work, stdin: "pipe", stdout: "pipe", stderr: "ignore" },
  })
  context.defer(async () => {
    asking.kill()
    bottle("destroy", slug, "--yes")
    started.kill()
    await started.exited
  })
  const said = asking.stdout.getReader()
  let count = 0

  /** Resolves with when the call was made and what is looked for was there. */
  async function call(seen: () => Promise<boolean>): Promise<number> {
    asking.stdin.write(`h${++count}.example\n`)
    asking.stdin.flush()
    const { value } = await said.read()
    if (value === undefined) throw new Error("the agent has ended")
    const from = Number(new TextDecoder().decode(value).trim())
    while (!(await seen())) if (Date.now() - from > 30_000) throw new Error("the call was not seen within 30 s")
    return Date.now() - from
  }
  async function rejectAll(): Promise<void> {
    const { proposals } = JSON.parse(bottle("proposals", "--json").stdout.toString()) as { proposals: { id: string }[] }
    for (const { id } of proposals) bottle("proposals", "reject", id, "--reason", "bench")
    await waitFor("the badge to go", async () => (await pending()) === "0")
  }
  const pending = async () => (await inner.tmux("show-options", "-gqv", "@bottle_pending")).trim()
  return {
    notify: async (value) => void (await inner.tmux("set-option", "-g", "@bottle-notify", value)),
    async callToBadge() {
      const time = await call(async () => (await pending()) === "1")
      await rejectAll()
      return time
    },
    async callToPopup() {
      const time = await call(async () => (await outer.screen()).includes("approving adds"))
      await rejectAll()
      await outer.see("any key closes this", 30_000)
      await outer.keys("q")
      await waitFor("it to close", async () => !(await outer.screen()).includes("no open"), 30_000)
      // The next one is opened once this one's process has ended.
      await Bun.sleep(300)
      return time
    },
    async push(rounds) {
      const servers = { add: () => undefined, list: () => [inner.socket], forget: () => undefined }
      const times: number[] = []
      for (let round = 0; round < rounds; round++) {
        const from = performance.now()
        await pushBadge(
          servers,
          (socket) => openTmux(socket, process.env),
          { pending: round, degraded: 0 },
          { slug, state: "asks" },
        )
        times.push(performance.now() - from)
      }
      await pushBadge(servers, (socket) => openTmux(socket, process.env), { pending: 0, degraded: 0 })
      return times
    },
  }
}

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, readFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import type { CallResult, SidecarCall, SidecarStatus } from "../../../sidecars/control.ts"
import { ControlLink } from "../../../src/bottle/keeper/control/control-link.ts"
import type { EgressPolicy } from "../../../src/policy/types.ts"
import { binary } from "../../support/command.ts"
import { requirePart } from "../../support/require.ts"
import { exchange, post, toolCall } from "../../support/supervise/besieged.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"

const policy: EgressPolicy = { routes: [], allowlist: [], log: 0, supervise: true }

for (const isolate of ["none", "bwrap"] as const) {
  const here = requirePart("binary") && (isolate === "none" || requirePart("bwrap"))
  describe.skipIf(!here)(`a supervisor with supervise, isolation ${isolate},`, () => {
    const dir = tempDir("asking")
    const place = { control: join(dir, "ctl", "s"), sockets: join(dir, "net"), config: join(dir, "config") }
    const statuses = new Map<string, SidecarStatus>()
    let supervisor: Bun.Subprocess
    let link: ControlLink

    const open = (onCall: (request: SidecarCall) => Promise<CallResult>) =>
      ControlLink.open(connect(place.control), {
        onState: (status) => void statuses.set(status.name, status),
        onEvent: () => undefined,
        onCall: (_sidecar, request) => onCall(request),
        onClose: () => undefined,
      })

    beforeAll(async () => {
      for (const name of ["ctl", "net", "config"]) mkdirSync(join(dir, name), { mode: 0o700 })
      const argv = [binary, "sidecar", "--control", place.control, "--sockets", place.sockets, "--isolate", isolate]
      const more = ["--config", place.config, "--start", "egress", "--start", "supervise"]
      supervisor = Bun.spawn([...argv, ...more], {
        stdin: "ignore",
        stdout: "inherit",
        stderr: "inherit",
        env: { PATH: "/usr/bin:/bin" },
      })
      link = (await waitFor("the control socket", () => open(() => new Promise(() => {})).catch(() => undefined))).link
      const supervise = { image: null, wait: 60 }
      await link.send({ type: "configure", slug: "x-abcde", egress: { policy, secrets: {} }, supervise, memory: 1 })
      await waitFor("supervise", () => statuses.get("supervise")?.state === "up")
    })
    afterAll(() => supervisor.kill("SIGKILL"))

    test("asks the next keeper again what the last one left open, and passes its decision on", async () => {
      const socket = join(place.sockets, "supervise.sock")
      const answer = exchange(socket, post(toolCall("egress-block", { host: "a.example", justification: "x" })))
      // The keeper there is never answers, and goes.
      await Bun.sleep(0)
      link.close()
      const asked: SidecarCall[] = []
      const id = "p0123456789"
      const taken = await open(async (request) => {
        asked.push(request)
        return { kind: "pending", id }
      })
      link = taken.link
      await waitFor("the call", () => asked.length > 0)
      expect(asked[0]).toMatchObject({ op: "propose", proposed_file: "host: a.example\n" })
      const response = { proposal_id: id, status: "rejected", notes: "no", final_file: "" } as const
      await link.send({ type: "response", response })
      expect(await answer).toContain('"status":"rejected"')
    })

    test("keeps the agent's copy of the policy as it is in force", async () => {
      await link.send({ type: "policy", policy: { ...policy, allowlist: ["docs.example"] } })
      expect(readFileSync(join(place.config, "allowlist"), "utf8")).toEndWith("\ndocs.example\n")
      const bad = { ...policy, allowlist: ["not a host"] }
      await expect(link.send({ type: "policy", policy: bad })).rejects.toThrow()
      expect(readFileSync(join(place.config, "allowlist"), "utf8")).toEndWith("\ndocs.example\n")
    })

    test("starts a killed supervise again, and leaves egress alone", async () => {
      process.kill(statuses.get("supervise")?.pid ?? 0, "SIGKILL")
      await waitFor("another", () => {
        const now = statuses.get("supervise")
        return now?.state === "up" && now.restarts === 1
      })
      expect(statuses.get("egress")).toMatchObject({ state: "up", restarts: 0 })
      const socket = join(place.sockets, "supervise.sock")
      expect(await exchange(socket, post(toolCall("nothing", {})))).toContain("There is no tool of this name")
    })
  })
}

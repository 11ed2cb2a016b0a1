import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import type { SidecarEvent, SidecarStatus } from "../../../sidecars/control.ts"
import { ControlLink, type Hello } from "../../../src/bottle/keeper/control/control-link.ts"
import { hashPolicy } from "../../../src/policy/hash.ts"
import type { EgressPolicy } from "../../../src/policy/types.ts"
import { binary, run } from "../../support/command.ts"
import { requirePart } from "../../support/require.ts"
import { withoutQueue } from "../../support/supervise/without-queue.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"

const policy: EgressPolicy = { routes: [], allowlist: [], log: 0, supervise: false }
const other: EgressPolicy = { ...policy, allowlist: ["docs.example"] }

for (const isolate of ["none", "bwrap"] as const) {
  const here = requirePart("binary") && requirePart("curl") && (isolate === "none" || requirePart("bwrap"))
  describe.skipIf(!here)(`the supervisor, isolation ${isolate}`, () => {
    const dir = tempDir("supervisor")
    const place = { control: join(dir, "ctl", "s"), sockets: join(dir, "net") }
    const states: SidecarStatus[] = []
    const events: SidecarEvent[] = []
    let supervisor: Bun.Subprocess
    let link: ControlLink
    let hello: Hello

    const open = async () => {
      const socket = connect(place.control)
      const listen = {
        onState: (state: SidecarStatus) => void states.push(state),
        onEvent: (_: string, event: SidecarEvent) => void events.push(event),
        onCall: withoutQueue(() => policy).onCall,
        onClose() {},
      }
      return ControlLink.open(socket, listen)
    }
    const egress = () => states.at(-1)
    /** The local page of the live rules, through the sidecar's own socket. */
    const allowlist = async () =>
      (
        await run([
          "curl",
          "-sS",
          "--unix-socket",
          join(place.sockets, "egress.sock"),
          "http://_egress.local/allowlist",
        ])
      ).stdout

    beforeAll(async () => {
      for (const name of ["ctl", "net"]) mkdirSync(join(dir, name), { mode: 0o700 })
      const argv = [binary, "sidecar", "--control", place.control, "--sockets", place.sockets, "--isolate", isolate]
      supervisor = Bun.spawn(argv, {
        stdin: "ignore",
        stdout: "inherit",
        stderr: "inherit",
        env: { PATH: "/usr/bin:/bin" },
      })
      const opened = await waitFor("the control socket", () => open().catch(() => undefined))
      link = opened.link
      hello = opened.hello
    })
    afterAll(() => supervisor.kill("SIGKILL"))

    test("greets with the bottle's certificate, waiting to be configured", () => {
      expect(hello.configured).toBe(false)
      expect(hello.ca).toContain("BEGIN CERTIFICATE")
    })

    test("acknowledges a policy by its hash", async () => {
      const message = { slug: "x-abcde", egress: { policy, secrets: { SLOT: "value" } }, memory: { kept: 1 } }
      expect(await link.send({ type: "configure", ...message })).toBe(hashPolicy(policy))
      expect(egress()?.state).toBe("up")
    })

    test("puts a new policy in force before it acknowledges it", async () => {
      expect(await link.send({ type: "policy", policy: other })).toBe(hashPolicy(other))
      expect(await allowlist()).toContain("docs.example")
    })

    test("says no to what does not fit and keeps what was in force", async () => {
      const bad = { ...policy, routes: "nonsense" } as unknown as EgressPolicy
      await expect(link.send({ type: "policy", policy: bad })).rejects.toThrow()
      expect(await allowlist()).toContain("docs.example")
    })

    test("starts a killed sidecar again within a second, with its policy", async () => {
      // One of three: a machine that has other work can take a second for anything.
      let took = Number.POSITIVE_INFINITY
      for (let restarts = 1; restarts <= 3 && took >= 1_000; restarts++) {
        const killed = performance.now()
        process.kill(egress()?.pid ?? 0, "SIGKILL")
        await waitFor("up again", () => egress()?.state === "up" && egress()?.restarts === restarts)
        took = performance.now() - killed
        expect(states.some((state) => state.state === "restarting")).toBe(true)
        expect(egress()).toMatchObject({ restarts, policyHash: hashPolicy(other) })
      }
      expect(took).toBeLessThan(1_000)
      expect(await allowlist()).toContain("docs.example")
      expect(events.map((event) => event.kind)).toContain("ended")
    })

    test("outlives its keeper and tells the next one what it remembers", async () => {
      link.close()
      const again = await open()
      expect(again.hello).toMatchObject({ configured: true, memory: { kept: 1 }, ca: hello.ca })
      link = again.link
    })

    test("answers the keeper that asked, not the next one", async () => {
      const pid = egress()?.pid ?? 0
      const first = await open()
      process.kill(pid, "SIGSTOP")
      const late = first.link.send({ type: "policy", policy }).catch(() => "its keeper is gone")
      first.link.close()
      const second = await open()
      const asked = second.link.send({ type: "policy", policy: other })
      process.kill(pid, "SIGCONT")
      expect([await asked, await late]).toEqual([hashPolicy(other), "its keeper is gone"])
      link = second.link
    })

    test("has told all that its sidecars told before it says that they are drained", async () => {
      const seen = events.length
      const pid = egress()?.pid ?? 0
      const curl = ["curl", "-s", "--unix-socket", join(place.sockets, "egress.sock"), "http://nowhere.example/"]
      for (let asked = 0; asked < 20; asked++) await run(curl)
      await link.send({ type: "drain" })
      const told = events.slice(seen).filter(({ kind }) => kind === "refused")
      expect(told.length).toBe(20)
      process.kill(pid, "SIGKILL")
      await link.send({ type: "drain" })
    })
  })
}

import { describe, expect, test } from "bun:test"
import { chmodSync, copyFileSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { makeArena, requireArena } from "../support/breakout/arena.ts"
import { besiege, secret } from "../support/breakout/attempt.ts"
import { partsOf, processesOf } from "../support/breakout/processes.ts"
import { SecretScanner } from "../support/breakout/scan.ts"
import { run } from "../support/command.ts"
import { placeBinary, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

/** Where a slot's value is after a full run: with the two processes that use it, and nowhere else. */

const here = requirePart("binary") && requirePart("bwrap") && requireArena()
const arena = here ? await makeArena() : undefined
const systemParts = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "proc", "sys", "nix", "gnu"]

for (const who of here ? whos : []) {
  const place = arena === undefined ? undefined : await besiege(who, arena)

  describe.skipIf(place === undefined)(`the slot's value, in a bottle started as ${who},`, () => {
    if (arena === undefined || place === undefined) return

    /** Run `look` while an agent lives that has made every kind of request. */
    async function whileBusy(look: (client: number) => Promise<void> | void): Promise<void> {
      if (arena === undefined || place === undefined) throw new Error("no arena")
      copyFileSync(join(import.meta.dir, "../support/breakout/busy.py"), join(place.work, "busy.py"))
      chmodSync(place.work, 0o755)
      const start = [placeBinary(place), "start", "--headless", "--cwd", "--bottle", "siege"]
      const client = Bun.spawn(place.inHome([...start, "--", "python3", "busy.py"]), {
        cwd: place.work,
        env: place.env,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "ignore",
      })
      const { value } = await client.stdout.getReader().read()
      expect(Buffer.from(value ?? "").toString()).toBe("DONE\n")
      try {
        await look(client.pid)
      } finally {
        client.kill("SIGKILL")
        await client.exited
      }
    }

    const tell = (what: string, { scan }: SecretScanner) =>
      console.error(`${who}: ${what}: looked in ${scan.places} places, ${Math.round(scan.bytes / 1e6)} MB`)

    test("is on no command line, in no environment, no file, and nowhere on the agent's side", async () => {
      await whileBusy((client) => {
        const scanner = new SecretScanner(secret)
        const processes = processesOf(arena)
        expect(processes.length).toBeGreaterThan(5)
        // The client was started by the operator, whose environment holds the value.
        for (const { pid } of processes) if (pid !== client) scanner.process(pid)
        const agentSide = [...partsOf(arena, "guest"), ...processes.filter(({ argv }) => argv.includes("busy.py"))]
        const inside = agentSide.filter(({ pid, argv }) => pid !== client && !argv.includes("start"))
        expect(inside.length).toBeGreaterThan(1)
        for (const { pid } of inside) scanner.memory(pid)
        const [guest] = partsOf(arena, "guest")
        const root = `/proc/${guest?.pid}/root`
        expect(existsSync(join(root, "workspace/seen"))).toBe(true)
        expect(readFileSync(join(root, "workspace/seen"), "latin1")).toContain("upstream says hello")
        scanner.tree(root, (path) => systemParts.some((part) => path === join(root, part)))
        scanner.tree(place.dir)
        tell("while it runs", scanner)
        expect(scanner.scan.places).toBeGreaterThan(100)
        expect(scanner.scan.found).toEqual([])
      })
    }, 300_000)

    test("stays unreadable with the processes that hold it, which leave no core; supervise does not even hold it", async () => {
      await whileBusy(async () => {
        await waitFor("supervise", () => partsOf(arena, "sidecar", "--child", "supervise").length === 1)
        for (const part of [...partsOf(arena, "sidecar", "--child"), ...partsOf(arena, "sidecar", "--control")]) {
          const reading = `cat /proc/${part.pid}/environ || head -c1 /proc/${part.pid}/mem || ls /proc/${part.pid}/fd/`
          const owner = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${part.pid}/status`, "utf8"))?.[1] ?? ""
          const asOwner = [
            "setpriv",
            `--reuid=${owner}`,
            `--regid=${owner}`,
            "--clear-groups",
            "--",
            "sh",
            "-c",
            reading,
          ]
          const own = new SecretScanner(secret)
          own.memory(part.pid)
          if (part.argv.join(" ").endsWith("--child supervise"))
            expect(own.scan.found, "supervise holds no secret").toEqual([])
          else expect(own.scan.found, "the scan itself must be able to find it").not.toEqual([])
          expect(owner).not.toBe("0")
          expect((await run(asOwner)).code, part.argv.join(" ")).not.toBe(0)
          expect(readFileSync(`/proc/${part.pid}/limits`, "utf8")).toMatch(/^Max core file size +0 +0 /m)
        }
      })
    }, 300_000)

    test("leaves no core with the keeper either, which had it in its hands", async () => {
      await whileBusy(() => {
        const keepers = partsOf(arena, "keep")
        expect(keepers.length).toBe(1)
        for (const { pid } of keepers) {
          expect(readFileSync(`/proc/${pid}/limits`, "utf8")).toMatch(/^Max core file size +0 +0 /m)
        }
      })
    }, 300_000)

    test("is nowhere at rest after the end", async () => {
      for (const slug of place.states()) await place.bottle(["stop", slug])
      const scanner = new SecretScanner(secret)
      scanner.tree(place.dir)
      for (const slug of place.states()) {
        for (const source of ["bringup", "sidecars", "teardown", "egress"]) {
          const { stdout, stderr } = await place.bottle(["logs", slug, "--source", source])
          scanner.bytes(`bottle logs --source ${source}`, Buffer.from(stdout + stderr))
        }
        for (const command of [
          ["info", slug, "--json"],
          ["list", "--json"],
        ]) {
          const { stdout, stderr } = await place.bottle(command)
          scanner.bytes(`bottle ${command.join(" ")}`, Buffer.from(stdout + stderr))
        }
      }
      tell("at rest", scanner)
      expect(place.states().length).toBeGreaterThan(0)
      expect(scanner.scan.places).toBeGreaterThan(20)
      expect(scanner.scan.found).toEqual([])
    }, 300_000)
  })
}

import { describe, expect, test } from "bun:test"
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { AuditEntry } from "../../src/audit/types.ts"
import { makeArena, requireArena } from "../support/breakout/arena.ts"
import { besiege, secret } from "../support/breakout/attempt.ts"
import { findNeedle } from "../support/breakout/decode.ts"
import { run } from "../support/command.ts"
import { placeBinary, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

/**
 * A fence that was broken on purpose stops the launch: in a mount namespace of the test's own, another program stands where bwrap does
 * and leaves one of its arguments out.
 */

const here = requirePart("binary") && requirePart("bwrap") && requireArena()
const arena = here ? await makeArena() : undefined

const broken: readonly (readonly [what: string, argument: string, values: number, probe: string])[] = [
  ["the network of its own", "--unshare-net", 0, "interfaces"],
  ["the filter of system calls", "--seccomp", 1, "socket-vsock"],
]

for (const who of here ? whos : []) {
  const place = arena === undefined ? undefined : await besiege(who, arena)

  describe.skipIf(place === undefined)(`started as ${who}, without`, () => {
    if (arena === undefined || place === undefined) return

    /** The argv that runs something as this person in `home`, where bwrap forgets an argument. */
    function withBroken(argument: string, values: number, argv: readonly string[]): string[] {
      const script = join(place?.dir ?? "", `bwrap-${argument}`)
      const real = join(place?.dir ?? "", "bwrap-real")
      const text = readFileSync(join(import.meta.dir, "../support/breakout/bwrap-without.py"), "utf8")
      writeFileSync(script, text.replace("@LEFT_OUT@", argument).replace("@VALUES@", String(values)))
      copyFileSync("/usr/bin/bwrap", real)
      for (const path of [script, real]) chmodSync(path, 0o755)
      const mount = `mount --bind ${real} /usr/bin/yes && mount --bind ${script} /usr/bin/bwrap && exec "$@"`
      return arena?.namespaces.home.enter(["sh", "-c", mount, "sh", ...(place?.as(argv) ?? [])]) ?? []
    }

    for (const [what, argument, values, probe] of broken) {
      test(`${what} nothing starts, and the probe is named`, async () => {
        await arena.take()
        const start = [placeBinary(place), "start", "--headless", "--bottle", "siege", "--", "sh", "-c", "echo RAN"]
        const result = await run(withBroken(argument, values, start), { cwd: place.work, env: place.env })
        expect(result.stdout).toBe("")
        expect(result.stderr).toContain("the fence does not hold")
        expect(result.stderr).toContain(probe)
        expect(result.code).toBe(125)
        expect(place.states()).toEqual([])
        const shown = await place.bottle(["audit", "show", "--json"])
        const { entries } = JSON.parse(shown.stdout) as { entries: AuditEntry[] }
        const [proof, failed] = entries.slice(-2)
        expect([proof, failed].map((entry) => entry?.operator_action)).toEqual(["proof", "launch-failed"])
        expect(proof?.detail?.ok).toBe(false)
        expect(
          Object.entries(proof?.detail ?? {}).some(
            ([name, saw]) => name.includes(probe) && /^FAILED/.test(String(saw)),
          ),
        ).toBe(true)
        const captured = await arena.take()
        expect(captured.filter(({ data }) => findNeedle(Buffer.from(data ?? "", "base64"), secret))).toEqual([])
      }, 300_000)
    }

    test("nothing left out, it starts", async () => {
      const start = [placeBinary(place), "start", "--headless", "--bottle", "siege", "--", "sh", "-c", "echo RAN"]
      const result = await run(withBroken("--nothing", 0, start), { cwd: place.work, env: place.env })
      expect(result.stdout, result.stderr).toBe("RAN\n")
      expect(result.code).toBe(0)
    }, 300_000)
  })
}

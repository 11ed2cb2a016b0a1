import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

const here = requirePart("binary") && requirePart("bwrap") && requirePart("python3")
const script = readFileSync(join(import.meta.dir, "../support/supervise/inside.py"), "utf8")

for (const who of here ? whos : []) {
  describe(`an agent in a bottle started as ${who}`, () => {
    const place = makePlace(who, { SLOT_VALUE_NAME: "sk-slot-0123456789abcdef0123456789abcdef" })

    test("reads its policy without names of secrets, changes nothing of it, and reaches supervise by its port alone", async () => {
      place.writeBottle(
        "asks",
        `agent_provider: {template: command}
egress:
  routes:
    - host: api.example
      path_allowlist: [/v1]
      auth: {scheme: Bearer, token_ref: SLOT_VALUE_NAME}
      connect_to: 10.11.12.13:8443
      allow_private: true
pipelock: {allowlist: [docs.example]}`,
      )
      place.writeWork("inside.py", script)
      const ask = ["start", "--headless", "--discard", "--cwd", "--bottle", "asks", "--", "python3", "inside.py"]
      const { code, stdout, stderr } = await place.bottle(ask)
      expect([code, stderr.includes("Traceback")]).toEqual([0, false])
      const seen = JSON.parse(stdout) as Record<string, unknown>
      const routes = "routes:\n  - host: api.example\n    path_allowlist: [/v1]\n    allow_private: true\n"
      expect(seen.routes).toContain(routes)
      expect(seen.allowlist).toEndWith("\ndocs.example\n")
      expect(seen.list).toContain("host: api.example")
      for (const word of ["SLOT_VALUE_NAME", "10.11.12.13", "connect_to", "sk-slot"]) expect(stdout).not.toContain(word)
      expect(seen).toMatchObject({
        ...{ write: "OSError", plant: "OSError", swap: "OSError", steal: "OSError", squat: "OSError" },
        ...{ control: [], tunnel: "403", absolute: "403" },
      })
      expect(seen.stop).toContain("There is no tool of this name")
    }, 300_000)

    test("finds nobody on supervise's port in a bottle without it, and no tool in a refusal", async () => {
      place.writeBottle("mute", "agent_provider: {template: command}\nsupervise: false")
      const look = "curl -sS -m 20 http://127.0.0.1:9100/mcp; echo $?; curl -sS -m 20 http://a.example/"
      const { stdout, stderr } = await place.bottle(
        ["start", "--headless", "--discard", "--bottle", "mute", "--", "sh", "-c", `(${look}) 2>&1`],
        { timeout: 240_000 },
      )
      expect(stdout + stderr).toContain("7\n")
      expect(stdout).toContain("a.example")
      expect(stdout).not.toContain("-block")
    }, 300_000)
  })
}

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeAuthority } from "../support/model/pki.ts"
import { type PretendModel, startModel } from "../support/model/server.ts"
import { makePlace, placeBinary, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { startTmux } from "../support/tmux.ts"

const here = requirePart("binary") && requirePart("bwrap") && requirePart("curl") && requirePart("tmux")

const description = `
command: {program: tinyai}
args: [talk]
resume: [talk, --continue]
headless: [ask, "--prompt={prompt}"]
headless_resume: [ask, --continue, "--prompt={prompt}"]
env: {TINY_TOKEN: placeholder, TINY_SYSTEM: "{system_prompt_file}"}
files:
  - {path: .tinyai/config.json, content: "config: {home} {workspace} {ca} {unknown}\\n"}
routes:
  - host: api.tiny.example
    auth: {scheme: Bearer}
    matches:
      - {methods: [POST], paths: [{type: exact, value: /v1/chat/completions}]}
transcripts: [.tinyai/sessions]
skills: .tinyai/skills
`
const realToken = "tiny-REAL-0123456789abcdefghijklmnop"

for (const who of here ? whos : []) {
  describe(`a fourth CLI, described by a file, as ${who}`, () => {
    const place = makePlace(who)
    let model: PretendModel
    const describeCli = (name: string, text: string) => {
      mkdirSync(join(place.botHome, "contrib", name), { recursive: true })
      writeFileSync(join(place.botHome, "contrib", name, "provider.yaml"), text)
    }
    beforeAll(async () => {
      const bin = join(place.dir, "bin")
      mkdirSync(bin)
      copyFileSync(join(import.meta.dir, "..", "support", "agents", "tinyai.sh"), join(bin, "tinyai"))
      chmodSync(join(bin, "tinyai"), 0o755)
      const authority = makeAuthority(join(place.dir, "pki"))
      chmodSync(join(place.dir, "pki"), 0o755)
      model = await startModel({ tls: authority.issue("api.tiny.example") })
      place.env.PATH = `${bin}:${place.env.PATH}`
      place.env.TINY_KEY = realToken
      describeCli("tinyai", description)
      place.writeBottle(
        "tiny",
        `agent_provider: {template: tinyai, auth_token: TINY_KEY}
egress:
  routes:
    - host: api.tiny.example
      matches: []
      connect_to: 127.0.0.1:${model.port}
      ca: ${authority.certFile}
      allow_private: true`,
      )
      place.writeAgent("tiny", "bottle: tiny\nskills: [count]", "You are tiny.")
      const skill = join(place.home, ".tinyai", "skills", "count")
      mkdirSync(skill, { recursive: true })
      writeFileSync(join(skill, "SKILL.md"), "Count.\n")
    })
    afterAll(() => model.close())

    test("runs headless with its files, its prompt, and a token that is put in outside", async () => {
      const result = await place.bottle(["start", "tiny", "--headless", "--prompt", "SAY tiny says {home}"])
      expect(result.stdout).toBe("config: /home/node /workspace /run/bottle/ca.crt {unknown}\ntiny says {home}\n")
      expect(result.code).toBe(0)
      expect(result.stderr).toContain("nothing left behind")
      const [request] = model.requests
      expect(request?.headers.authorization).toBe(`Bearer ${realToken}`)
      expect(request?.body).toContain("You are tiny.")
    })

    test("on a terminal it answers, finds its skills, and is resumed with what it was asked before", async () => {
      const argv = ["env", "-i", ...pairs(place.env), ...place.as([placeBinary(place), "start", "tiny", "--yes"])]
      const tmux = await startTmux(argv, { cwd: "/", cols: 100, rows: 30 })
      let slug = ""
      try {
        await tmux.see("tiny is listening")
        slug = place.states()[0] ?? ""
        await tmux.type("SAY hello")
        await tmux.keys("Enter")
        await tmux.see(/^hello$/m)
        const look = "cat ~/.tinyai/skills/count/SKILL.md; env; touch /workspace/work"
        const inside = await place.bottle(["exec", slug, "--", "sh", "-c", look])
        expect(inside.stdout).toStartWith("Count.\n")
        expect(inside.stdout).not.toContain(realToken)
        await place.bottle(["stop", slug])
      } finally {
        await tmux.stop()
      }
      const resumed = await place.bottle(["resume", slug, "--headless", "--prompt", "SAY again"])
      expect([resumed.code, resumed.stdout.split("\n").at(-2)]).toEqual([0, "again"])
      expect(model.requests.at(-1)?.body).toContain("asked: SAY hello")
    })

    test("its routes are pinned, and the slot is the one that the bottle names", async () => {
      const shown = await place.bottle(["start", "tiny", "--dry-run", "--json"])
      expect(JSON.parse(shown.stdout).policy.routes).toMatchObject([
        {
          host: "api.tiny.example",
          matches: [{ methods: ["POST"], paths: [{ type: "exact", value: "/v1/chat/completions" }] }],
          auth: { scheme: "Bearer", token_ref: "TINY_KEY" },
        },
      ])
    })

    test("a skill that nobody has stops the start and is named", async () => {
      place.writeAgent("lost", "bottle: tiny\nskills: [cuont]")
      const result = await place.bottle(["start", "lost", "--headless", "--prompt", "SAY x"])
      expect(result.code).toBe(3)
      expect(result.stderr).toContain('unknown skill "cuont"; did you mean "count"?')
    })

    test("a broken description stops the start with file, line and column", async () => {
      describeCli("broken", "command: {program: sh}\nargz: []\n")
      place.writeBottle("broken", "agent_provider: {template: broken}")
      place.writeAgent("broken", "bottle: broken")
      const result = await place.bottle(["start", "broken", "--headless", "--prompt", "SAY x"])
      expect(result.code).toBe(3)
      expect(result.stderr).toContain("contrib/broken/provider.yaml:2:1 argz: unknown key; did you mean args?")
    })
  })
}

function pairs(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}

import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { testSessions } from "../support/agent-sessions.ts"
import { claude, codex, pi } from "../support/agents/in-images.ts"
import { furnishClaude } from "../support/claude-place.ts"
import type { CliSource } from "../support/cli-source.ts"
import { furnishCodex } from "../support/codex-place.ts"
import { useEngine } from "../support/docker/engine.ts"
import { type ForwardProxy, startForwardProxy } from "../support/docker/forward-proxy.ts"
import { importNodeBase, whyNoNodeBase } from "../support/docker/node-base.ts"
import { furnishPi } from "../support/pi-place.ts"
import { makePlace, type Place } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { tempDir } from "../support/temp.ts"

/** The providers' own Dockerfiles, built with Debian's and npm's packages, and the real CLIs of those images. */

setDefaultTimeout(600_000)
const why = await whyNoNodeBase()
if (why !== undefined) console.error(`skipped: ${why}`)
const here = ["binary", "bwrap", "dockerd"].every(requirePart) && why === undefined
const engine = useEngine(here)
const dir = tempDir("images")

describe.skipIf(!here)("from the providers' own Dockerfiles,", () => {
  const docker = { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" }
  const asBuilt: CliSource = { onPath: false, address: engine.address, provider: "", bottle: "" }
  const builder = here ? makePlace("root", docker) : ({} as Place)
  let proxy: ForwardProxy

  beforeAll(async () => {
    proxy = await startForwardProxy(engine.address)
    await importNodeBase(engine, dir, `http://${engine.address}:${proxy.port}`)
  })

  for (const name of ["claude", "codex", "pi"]) {
    test(`bottle build ${name} makes its image, once`, async () => {
      const first = await builder.bottle(["build", name], { timeout: 600_000 })
      expect([first.code, first.stderr.slice(-2_000)]).toEqual([0, expect.stringContaining("Successfully tagged")])
      expect(first.stdout).toMatch(new RegExp(`^${name} +bot-bottle/agent:\\S+ +built\n$`))
      expect((await builder.bottle(["build", name])).stdout).toMatch(/ there\n$/)
    })
  }

  test("what the base knows of the way out of its network stays with the build", async () => {
    // From here on nothing may need it.
    proxy.close()
    const { images } = JSON.parse((await builder.bottle(["build", "claude", "--json"])).stdout)
    builder.writeBottle("look", `agent_provider: {template: command}\ndocker: {image: '${images[0].image}'}`)
    const argv = [
      "start",
      "--headless",
      "--bottle",
      "look",
      "--",
      "sh",
      "-c",
      "env; id -un; git --version; rg --version",
    ]
    const seen = await builder.bottle(argv, { timeout: 60_000 })
    expect(`${seen.code} ${seen.stderr}`).toStartWith("0 ")
    expect(seen.stdout).not.toContain(`${engine.address}:${proxy.port}`)
    expect(seen.stdout).toMatch(/^node$/m)
    expect(seen.stdout).toMatch(/git version [\s\S]*ripgrep/)
  })

  describe("the real Claude Code", () => {
    const place = here ? makePlace("root", docker) : ({} as Place)
    testSessions({ ...claude, furnish: (it) => furnishClaude(it, asBuilt) }, place)
  })

  describe("the real Codex", () => {
    const place = here ? makePlace("root", docker) : ({} as Place)
    testSessions({ ...codex, furnish: (it) => furnishCodex(it, asBuilt) }, place)
  })

  describe("the real Pi", () => {
    const place = here ? makePlace("root", docker) : ({} as Place)
    testSessions({ ...pi, furnish: (it) => furnishPi(it, asBuilt) }, place)
  })
})

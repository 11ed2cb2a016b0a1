import { beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { testSessions } from "../support/agent-sessions.ts"
import { claude, codex, pi } from "../support/agents/in-images.ts"
import { furnishClaude } from "../support/claude-place.ts"
import type { CliSource } from "../support/cli-source.ts"
import { furnishCodex } from "../support/codex-place.ts"
import { importAgents } from "../support/docker/agents-image.ts"
import { useEngine } from "../support/docker/engine.ts"
import { whyNoHostImage } from "../support/docker/host-image.ts"
import { furnishPi } from "../support/pi-place.ts"
import { makePlace, type Place } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { tempDir } from "../support/temp.ts"

/** The real CLIs in containers, each with an image that is had in another way. */

const parts = ["binary", "bwrap", "dockerd", "claude", "codex", "pi", "node24"]
const here = parts.every(requirePart) && whyNoHostImage() === undefined
const engine = useEngine(here)
const dir = tempDir("agents")
const image = "agents:1"
/** What a Dockerfile for a machine without a registry looks like. */
const dockerfile = "ARG BASE_IMAGE=not-here:1\nFROM $BASE_IMAGE\nRUN touch /built && mkdir -p /opt/made\n"

describe.skipIf(!here)("in containers,", () => {
  const docker = { DOCKER_HOST: engine.host, BOT_BOTTLE_BACKEND: "docker" }
  const fromImage = (bottle: string, provider = ""): CliSource => ({
    ...{ onPath: false, address: engine.address, provider },
    bottle,
  })

  beforeAll(async () => {
    await importAgents(engine, dir, image)
  }, 300_000)

  describe("the real Claude Code, from contrib/claude/Dockerfile on a base of the bottle's choice,", () => {
    const place = here ? makePlace("root", docker) : ({} as Place)
    const furnish = async (furnished: Place) => {
      mkdirSync(join(furnished.botHome, "contrib/claude"), { recursive: true })
      writeFileSync(join(furnished.botHome, "contrib/claude/Dockerfile"), dockerfile)
      return furnishClaude(furnished, fromImage(`docker: {base_image: "${image}"}`))
    }
    testSessions({ ...claude, furnish }, place, true)

    test("says so before anything is made", async () => {
      const { stderr } = await place.bottle(["start", "claude", "--dry-run"])
      expect(stderr).toContain(`built from contrib/claude/Dockerfile on ${image}`)
      expect(stderr).toContain("claude, as its image has it")
    })
  })

  describe("the real Codex, from the bottle's own Dockerfile,", () => {
    const place = here ? makePlace("root", docker) : ({} as Place)
    const furnish = async (furnished: Place) => {
      writeFileSync(join(furnished.botHome, "codex.dockerfile"), dockerfile.replace("not-here:1", image))
      return furnishCodex(furnished, fromImage("", ", dockerfile: ../codex.dockerfile"))
    }
    testSessions({ ...codex, furnish }, place, true)
  })

  describe("the real Pi, from an image that is named,", () => {
    const place = here ? makePlace("root", docker) : ({} as Place)
    testSessions({ ...pi, furnish: (it) => furnishPi(it, fromImage(`docker: {image: "${image}"}`)) }, place, true)
  })
})

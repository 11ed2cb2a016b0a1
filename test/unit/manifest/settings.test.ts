import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { loadSettings } from "../../../src/manifest/settings.ts"
import { failureOf, type ManifestHome, makeManifestHome } from "./manifest-home.ts"

let home: ManifestHome
beforeEach(() => {
  home = makeManifestHome()
})
afterEach(() => home.remove())

const load = (text: string) => loadSettings(home.write("settings.yml", text))

describe("settings.yml", () => {
  test("that is not there, or empty, sets nothing", async () => {
    expect(await loadSettings(join(home.root, "none.yml"))).toEqual({ unbuilt: [] })
    expect(await load("")).toEqual({ unbuilt: [] })
    expect(await load("# only a comment\n")).toEqual({ unbuilt: [] })
  })

  test("names the backend and where secrets are found", async () => {
    const settings = await load(
      "backend: docker\nsecrets:\n  GITHUB_TOKEN: { command: [gh, auth, token] }\n  OTHER: { keyring: other }\n",
    )
    expect(settings).toEqual({
      backend: "docker",
      secrets: { GITHUB_TOKEN: { command: ["gh", "auth", "token"] }, OTHER: { keyring: "other" } },
      unbuilt: [],
    })
    expect(Object.isFrozen(settings.secrets)).toBe(true)
  })

  test("has keys whose feature is not in this build", async () => {
    expect(await load("retention: { logs: 30d }\nnotify: { command: [notify-send, x] }")).toEqual({
      retention: { logs: 2_592_000 },
      notify: { command: ["notify-send", "x"] },
      unbuilt: [{ key: "notify", position: "settings.yml:2:1" }],
    })
  })

  test.each([
    ["bakend: docker", "settings.yml:1:1 bakend: unknown key; did you mean backend?"],
    [
      "backend: dcoker",
      "settings.yml:1:10 backend: expected one of namespace, docker, smolmachines, macos-container, qemu; did you mean docker?",
    ],
    [
      "secrets: { github: { keyring: x } }",
      "settings.yml:1:12 secrets.github: expected a name such as API_TOKEN (capitals, digits, _), not a secret itself",
    ],
    ["secrets: { T: { command: gh auth token } }", "settings.yml:1:26 secrets.T.command: expected a list, found text"],
    ["secrets: { T: { command: [] } }", "settings.yml:1:26 secrets.T.command: cannot be empty"],
    ["secrets: { T: { comand: [x] } }", "settings.yml:1:17 secrets.T.comand: unknown key; did you mean command?"],
    ["secrets: { T: hunter2 }", "settings.yml:1:15 secrets.T: expected keys with values, found text"],
    [
      "retention: { logs: 30 }",
      "settings.yml:1:20 retention.logs: expected a time with its unit, such as 90s, 30m or 8h",
    ],
  ])("with %s is refused with its position", async (text, line) => {
    const failure = await failureOf(load(text))
    expect(failure.message.split("\n")).toContain(line)
    expect([failure.exitCode, failure.code]).toEqual([3, "bad-manifest"])
  })
})

import { afterAll, describe, expect, test } from "bun:test"
import { jsonSchema, type SchemaName } from "../../../src/manifest/json-schema.ts"
import { starterAgent, starterBottle } from "../../../src/manifest/starter.ts"
import { makeManifestHome } from "./manifest-home.ts"

const home = makeManifestHome()
afterAll(() => home.remove())

interface Node {
  description?: string
  type?: string
  properties?: Record<string, Node>
  additionalProperties?: boolean | Node
  items?: Node
  anyOf?: Node[]
  required?: string[]
}

/** Every key of the schema with whether it is described. */
function keysOf(node: Node, path = ""): { key: string; described: boolean }[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    { key: `${path}.${key}`, described: child.description !== undefined },
    ...keysOf(child, `${path}.${key}`),
  ])
  const record = typeof node.additionalProperties === "object" ? keysOf(node.additionalProperties, `${path}.*`) : []
  const item = node.items === undefined ? [] : keysOf(node.items, `${path}[]`)
  return [...own, ...record, ...item, ...(node.anyOf ?? []).flatMap((each) => keysOf(each, path))]
}

describe("the JSON Schema", () => {
  test.each([["bottle"], ["agent"], ["settings"]] as [SchemaName][])(
    "of %s is draft-07, strict, and describes each key",
    async (name) => {
      const schema = await jsonSchema(name)
      expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#")
      expect(schema.additionalProperties).toBe(false)
      const keys = keysOf(schema as Node)
      expect(keys.length).toBeGreaterThan(5)
      expect(keys.filter(({ described }) => !described)).toEqual([])
      expect(() => JSON.stringify(schema)).not.toThrow()
    },
  )

  test("of bottle names every key of a bottle and of a route, as they are written", async () => {
    const schema = (await jsonSchema("bottle")) as Node
    expect(Object.keys(schema.properties ?? {})).toEqual(
      "extends env agent_provider egress pipelock git-gate supervise namespace docker limits".split(" "),
    )
    const route = schema.properties?.egress?.properties?.routes?.items
    expect(Object.keys(route?.properties ?? {}).sort()).toEqual(
      "allow_private auth ca connect_to dlp git host keep_headers matches path_allowlist port scheme websocket".split(
        " ",
      ),
    )
    expect(route?.required).toEqual(["host"])
    expect(schema.properties?.limits?.properties?.memory?.type).toBe("string")
  })
})

describe("what init writes", () => {
  test("loads as it is, with the editor's modeline on its second line", async () => {
    const bottle = starterBottle("/x/bottle.schema.json")
    const agent = starterAgent("/x/agent.schema.json", "dev")
    home.write("user/.bot-bottle/bottles/dev.md", bottle)
    home.write("user/.bot-bottle/agents/me.md", agent)
    expect(bottle.split("\n")[1]).toBe("# yaml-language-server: $schema=/x/bottle.schema.json")
    expect(agent.split("\n")[1]).toBe("# yaml-language-server: $schema=/x/agent.schema.json")

    const loaded = await home.manifests.loadAgent("me")
    const merged = await home.manifests.loadBottles(loaded.bottles)
    expect([loaded.unbuilt, merged.unbuilt, merged.warnings]).toEqual([[], [], []])
    expect(merged.egress.routes.map(({ host }) => host)).toEqual(["raw.githubusercontent.com"])
    expect(loaded.prompt).toStartWith("You work on the project")
  })

  test("still loads when each commented example is taken in", async () => {
    const opened = starterBottle("/x")
      .replace("# extends: base", "extends: base")
      .replace(/# (EDITOR|REGION|auth_token):/g, "$1:")
      .replace(/( {2,})(taken from this machine|asked at every start|name of the slot.*)/g, " # $2")
      .replace(/^ {4}# - host/m, "    - host")
      .replace(/^ {4}# {3}(path_allowlist|auth)/gm, "      $1")
    home.bottle("base", "")
    home.write("user/.bot-bottle/bottles/open.md", opened)
    const bottle = await home.manifests.loadBottles(["open"])
    expect(bottle.slots).toEqual(["CLAUDE_CODE_OAUTH_TOKEN", "GITHUB_TOKEN"])
    expect(bottle.env.EDITOR).toEqual({ kind: "host", name: "EDITOR" })
  })
})

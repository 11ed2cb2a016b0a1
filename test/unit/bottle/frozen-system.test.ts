import { describe, expect, test } from "bun:test"
import type { DockerChoice } from "../../../src/backends/backend.ts"
import { approvedDockerfile, withFrozenSystem } from "../../../src/bottle/frozen-system.ts"

const usual: DockerChoice = {
  build: { name: "claude", origin: "contrib", dockerfile: "FROM a", args: {} },
  runtime: "runc",
}
const approved = (dockerfile: string): DockerChoice => ({
  runtime: "runc",
  build: { name: "claude", origin: "state", dockerfile, args: {}, confined: { bases: ["a"], network: false } },
})
const frozenOn = (docker: DockerChoice) => ({ name: "sha256:0", on: approvedDockerfile({ docker }) })
const frozen = { image: "sha256:0", runtime: "runc" }

describe("what a resumed container is made of", () => {
  const cases: [string, DockerChoice, DockerChoice | undefined, DockerChoice][] = [
    ["the usual image where nothing was frozen", usual, undefined, usual],
    ["what was frozen in its place", usual, usual, frozen],
    ["a Dockerfile that was approved after the freeze", approved("FROM a\nRUN b"), usual, approved("FROM a\nRUN b")],
    ["what was frozen on that same Dockerfile", approved("FROM a\nRUN b"), approved("FROM a\nRUN b"), frozen],
    ["a newer one", approved("FROM a\nRUN c"), approved("FROM a\nRUN b"), approved("FROM a\nRUN c")],
    ["the usual image where what it was frozen on is undone", usual, approved("FROM a\nRUN b"), usual],
  ]
  for (const [what, now, before, expected] of cases) {
    test(what, () => {
      expect(withFrozenSystem({ docker: now }, before && frozenOn(before))).toEqual(expected)
    })
  }
})

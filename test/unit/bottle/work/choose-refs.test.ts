import { describe, expect, test } from "bun:test"
import { chooseRefs } from "../../../../src/bottle/work/pull/choose-refs.ts"

const oid = (digit: string) => digit.repeat(40)
const choose = (refs: string[], known: string[] = [], branches: string[] = [], current?: string) => {
  const all = refs.map((ref) => ({ ref, oid: oid("a") }))
  const { chosen, skipped } = chooseRefs(all, new Set(known), branches, current)
  return { chosen: chosen.map(({ name }) => name), skipped: skipped.map(({ name }) => name) }
}

describe("which refs are pulled", () => {
  test("branches by their name, tags and stash by their kind, the agent's own branch first", () => {
    const refs = ["refs/heads/main", "refs/heads/side/deep", "refs/tags/v1", "refs/stash"]
    expect(choose(refs, [], [], "refs/heads/side/deep")).toEqual({
      chosen: ["side/deep", "main", "stash", "tags/v1"],
      skipped: [],
    })
  })

  test("none that points at what was copied in", () => {
    expect(choose(["refs/heads/main"], [oid("a")])).toEqual({ chosen: [], skipped: [] })
  })

  test("only those that were asked for", () => {
    expect(choose(["refs/heads/a", "refs/heads/b"], [], ["b"]).chosen).toEqual(["b"])
  })

  test("one of those that a file system takes for the same, or that cannot stand beside another", () => {
    expect(
      choose(["refs/heads/Main", "refs/heads/main", "refs/heads/main/x", "refs/heads/tags/v1", "refs/tags/v1"]),
    ).toEqual({
      chosen: ["main", "tags/v1"],
      skipped: ["main/x", "tags/v1", "Main"],
    })
  })

  const odd = [
    ...["--upload-pack=x", "-x", "a/-b", "a b", "a\nb", "a\x1b[31mb", "a\u009b31mb", "a\u202eb", "e\u0301", "a\u200bb"],
    ...[
      "../../heads/main",
      "a/../b",
      "a//b",
      "/a",
      "a/",
      ".git",
      "a/.lock",
      "a.lock",
      "a.",
      "$(touch x)",
      "`x`",
      "a;b",
      "a'b",
    ],
    ...["a:b", "a^b", "a~b", "a?b", "a*b", "a[b", "a\\b", "a@{b", "x".repeat(201)],
  ]
  test.each(odd)("not one called %j", (name) => {
    expect(choose([`refs/heads/${name}`])).toEqual({ chosen: [], skipped: [name] })
  })
})

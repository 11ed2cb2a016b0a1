import { describe, expect, test } from "bun:test"
import { insidePath, parsePlace } from "../../../../src/bottle/work/copy/inside-path.ts"

const places = { home: "/home/node", workspace: "/workspace" }

describe("a path in a bottle", () => {
  test.each([
    ["", "workspace", ""],
    [".", "workspace", ""],
    ["a/b", "workspace", "a/b"],
    ["/workspace/a/../b/", "workspace", "b"],
    ["~", "home", ""],
    ["~/x", "home", "x"],
    ["/home/node/.claude", "home", ".claude"],
  ])("%j", (path, tree, inner) => expect(insidePath(path, places)).toEqual({ tree, inner } as never))

  test.each(["/", "/etc/passwd", "..", "../home", "/workspace/../etc", "/workspacex", "~/../x", "a\0b"])(
    "not %j",
    (path) => {
      expect(() => insidePath(path, places)).toThrow("neither in the bottle's workspace")
    },
  )

  test("is told from one here by its slug", () => {
    expect(parsePlace("claude-x7k2p:a:b")).toEqual({ kind: "bottle", slug: "claude-x7k2p", path: "a:b" })
    expect(parsePlace("./claude:a")).toEqual({ kind: "local", path: "./claude:a" })
    expect(parsePlace("/tmp/a:b")).toEqual({ kind: "local", path: "/tmp/a:b" })
    expect(parsePlace("-")).toEqual({ kind: "stream" })
  })
})

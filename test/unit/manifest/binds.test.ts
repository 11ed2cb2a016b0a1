import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { judgeBind } from "../../../src/manifest/values/bind.ts"
import { realBindHost } from "../../../src/manifest/values/bind-host.ts"
import { failureOf, type ManifestHome, makeManifestHome } from "./manifest-home.ts"

let home: ManifestHome
let data: string
beforeEach(() => {
  home = makeManifestHome()
  data = join(home.userHome, "data")
  mkdirSync(join(data, "sub"), { recursive: true })
})
afterEach(() => home.remove())

const judge = (written: Parameters<typeof judgeBind>[0]) =>
  judgeBind(written, { userHome: home.userHome, bottleHome: home.home, host: realBindHost })
const why = (written: Parameters<typeof judgeBind>[0]) => {
  const judged = judge(written)
  return judged.kind === "bad" ? judged.why : `bound: ${judged.value.source}`
}
const inHome = (path: string) => {
  mkdirSync(join(home.userHome, path), { recursive: true })
  return join(home.userHome, path)
}

describe("a bind", () => {
  test("is read-only and at its own path unless it says otherwise", () => {
    expect(judge(data)).toEqual({ kind: "value", value: { source: data, target: data, readonly: true } })
    expect(judge({ source: data })).toEqual({ kind: "value", value: { source: data, target: data, readonly: true } })
  })

  test.each([
    ["~/data:/data", { target: "/data", readonly: true }],
    ["~/data:/data/", { target: "/data", readonly: true }],
    ["~/data:/data:rw", { target: "/data", readonly: false }],
    ["~/data:/data:ro", { target: "/data", readonly: true }],
  ])("%s is read", (text, rest) => {
    expect(judge(text)).toEqual({ kind: "value", value: { source: data, ...rest } })
  })

  test("that is a link is bound at what the link leads to", () => {
    symlinkSync(join(data, "sub"), join(home.userHome, "link"))
    expect(judge("~/link:/data")).toEqual({
      kind: "value",
      value: { source: join(data, "sub"), target: "/data", readonly: true },
    })
  })

  test("carries the position it was written at", async () => {
    home.bottle("dev", `namespace:\n  binds:\n    - "${data}:/data:rw"`)
    expect((await home.manifests.loadBottles(["dev"])).namespace.binds).toEqual([
      { source: data, target: "/data", readonly: false, origin: "bottles/dev.md:4:7" },
    ])
  })
})

describe("what is never bound", () => {
  test.each([
    ["the whole file system", "/", "target: / is the bottle's own"],
    ["the whole file system elsewhere", "/:/host", "source: the whole file system cannot be bound"],
    ["a relative path", "data", "source: expected an absolute path without .. or ~/…"],
    ["a path with ..", "/tmp/../etc:/x", "source: expected an absolute path without .. or ~/…"],
    ["too many parts", "/a:/b:/c:ro", "expected /path, /path:/target, and :ro or :rw at the end"],
    ["nothing", "", "source: expected an absolute path without .. or ~/…"],
    ["what is not there", "~/nothing:/x", "source: nothing is there"],
    ["the system's places", "/proc/self:/x", "source: /proc belongs to the system"],
    ["devices", "/dev/null:/x", "source: /dev belongs to the system"],
    [
      "everybody's temporary directory",
      "/tmp:/x",
      "source: other programs keep their sockets there: name a directory in it",
    ],
  ])("%s", (_, text, reason) => {
    const found = why(text)
    // /proc/self resolves to a pid's directory or, where there is no /proc, to nothing.
    expect(found).toBe(reason)
  })

  test.each([
    ["/proc/x"],
    ["/etc/ssl"],
    ["/usr"],
    ["/"],
    ["/run/bottle/net"],
    ["/dev"],
    ["/x/../etc"],
    ["x"],
    ["/a\nb"],
  ])("anything over %p inside", (target) => {
    expect(why({ source: data, target })).toStartWith("target: ")
  })

  test("the home directory and what contains it", () => {
    expect(why({ source: home.userHome, target: "/x" })).toBe("source: the home directory itself cannot be bound")
    expect(why({ source: home.root, target: "/x" })).toBe("source: it contains the home directory")
  })

  test("bottle's own files, and what contains them", () => {
    expect(why({ source: home.home, target: "/x" })).toBe("source: bottle keeps its own files there")
    inHome(".bot-bottle/state/a")
    expect(why("~/.bot-bottle/state/a:/x")).toBe("source: bottle keeps its own files there")
  })

  test.each(
    ".ssh .aws .gnupg .config/gh .docker .kube .claude .codex .config/gcloud .mozilla .config/google-chrome .local/share/keyrings .password-store"
      .split(" ")
      .map((path) => [path]),
  )("~/%s, what is in it, and what contains it", (path) => {
    inHome(`${path}/deep`)
    expect(why(`~/${path}:/x`)).toBe(`source: ~/${path} holds credentials`)
    expect(why(`~/${path}/deep:/x`)).toBe(`source: ~/${path} holds credentials`)
    const parent = path.split("/").slice(0, -1).join("/")
    if (parent !== "") expect(why(`~/${parent}:/x`)).toStartWith("source: it contains a protected place: ")
  })

  test("a file with a login", () => {
    writeFileSync(join(home.userHome, ".netrc"), "x")
    expect(why("~/.netrc:/x")).toBe("source: ~/.netrc holds credentials")
  })

  test("any of it by way of a link", () => {
    inHome(".ssh")
    symlinkSync(join(home.userHome, ".ssh"), join(data, "keys"))
    symlinkSync(home.userHome, join(data, "me"))
    symlinkSync("/", join(data, "all"))
    expect(why(`${data}/keys:/x`)).toBe("source: ~/.ssh holds credentials")
    expect(why(`${data}/me:/x`)).toBe("source: the home directory itself cannot be bound")
    expect(why(`${data}/me/.ssh:/x`)).toBe("source: ~/.ssh holds credentials")
    expect(why(`${data}/all:/x`)).toBe("source: the whole file system cannot be bound")
  })

  test("a store that is itself a link to somewhere else", () => {
    mkdirSync(join(data, "real-keys/sub"), { recursive: true })
    symlinkSync(join(data, "real-keys"), join(home.userHome, ".ssh"))
    expect(why(`${data}/real-keys/sub:/x`)).toBe("source: ~/.ssh holds credentials")
    expect(why(`${data}:/x`)).toStartWith("source: it contains a protected place: ")
  })

  test("a socket, and a directory that holds one", async () => {
    const socket = join(data, "sub/s")
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    try {
      expect(why(`${socket}:/x`)).toBe("source: a socket cannot be bound")
      expect(why(`${data}/sub:/x`)).toBe("source: it holds a socket: s")
    } finally {
      server.close()
    }
  })

  test("is refused in a bottle with its position", async () => {
    inHome(".ssh")
    home.bottle("dev", "namespace:\n  binds:\n    - ~/data\n    - { source: ~/.ssh, target: /keys }")
    expect((await failureOf(home.manifests.loadBottles(["dev"]))).message).toBe(
      "bottles/dev.md:5:7 namespace.binds[1]: source: ~/.ssh holds credentials",
    )
  })
})

import { describe, expect, test } from "bun:test"
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import { packTree } from "../../../../src/backends/docker/trees/pack.ts"
import { type ReadMember, TarReader } from "../../../../src/backends/docker/trees/tar-read.ts"
import { padding, type TarMember, tarEnd, tarHeader } from "../../../../src/backends/docker/trees/tar-write.ts"
import { unpackTree } from "../../../../src/backends/docker/trees/unpack.ts"
import { tempDir } from "../../../support/temp.ts"

const dir = tempDir("trees")
const place = () => mkdtempSync(join(dir, "t-"))

interface Planted extends Partial<TarMember> {
  path: string
  /** Type letter of the header, where it is none that we write. */
  type?: string
  content?: string
}

/** An archive as it could never come from an engine, but for one that was taken over. */
function archive(...members: Planted[]): Readable {
  const parts = members.flatMap(({ type, content = "", ...member }) => {
    const body = Buffer.from(content)
    const kind = member.kind ?? (member.path.endsWith("/") ? "dir" : "file")
    const header = tarHeader({ mode: 0o644, uid: 0, gid: 0, size: body.length, mtime: 7, ...member, kind })
    if (type !== undefined) retype(header, type)
    return [header, body, padding(body.length)]
  })
  return Readable.from(cut(Buffer.concat([...parts, tarEnd]), 100))
}

function retype(header: Buffer, type: string): void {
  header.write(type, 156, "latin1")
  header.fill(32, 148, 156)
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
    "latin1",
  )
}

function* cut(bytes: Buffer, length: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

const root: Planted = { path: "w/", mode: 0o700 }

describe("a tree of the host's", () => {
  test("comes out of an archive as it went in, whole seconds of time and permissions included", async () => {
    const from = place()
    mkdirSync(join(from, "a/b"), { recursive: true })
    const long = `${"x".repeat(120)}é`
    writeFileSync(join(from, "a/b", long), "long")
    writeFileSync(join(from, "tool"), Buffer.alloc(600_000, 1), { mode: 0o755 })
    chmodSync(join(from, "tool"), 0o4755)
    symlinkSync("y".repeat(200), join(from, "link"))
    utimesSync(join(from, "tool"), 1.5, 1.5)
    Bun.spawnSync(["mkfifo", join(from, "pipe")])
    chmodSync(from, 0o750)
    const to = place()
    const packed = [...packTree(from, { uid: 1000, gid: 1000, root: "home/node" }), tarEnd]
    // The engine names the tree by its last component only.
    const renamed = Buffer.concat(packed)
    await unpackTree(Readable.from(cut(strip(renamed, "home/"), 777)), to)
    expect(readdirSync(to).sort()).toEqual(["a", "link", "tool"])
    expect(readFileSync(join(to, "a/b", long), "utf8")).toBe("long")
    expect(readlinkSync(join(to, "link"))).toBe("y".repeat(200))
    expect(statSync(join(to, "tool"))).toMatchObject({ size: 600_000, mtimeMs: 1000 })
    expect(statSync(join(to, "tool")).mode & 0o7777).toBe(0o755)
    expect(statSync(to).mode & 0o777).toBe(0o750)
    expect(statSync(join(from, "tool")).mtimeMs).toBe(1000)
  })
})

/** The same archive with each name shortened at its front. */
function strip(bytes: Buffer, front: string): Buffer {
  const parts: Buffer[] = []
  let content: Buffer[] = []
  let current: ReadMember | undefined
  const flush = () => {
    if (current === undefined) return
    const body = Buffer.concat(content)
    const { path, kind, mode, mtime, linkTo, size } = current
    const member = { path: path.slice(front.length), kind: kind as "file", mode, mtime, linkTo, size, uid: 0, gid: 0 }
    parts.push(tarHeader(member), body, padding(body.length))
    content = []
    current = undefined
  }
  const reader = new TarReader({
    begin: (member) => {
      current = member
    },
    bytes: (chunk) => void content.push(Buffer.from(chunk)),
    end: flush,
  })
  reader.push(bytes)
  reader.finish()
  return Buffer.concat([...parts, tarEnd])
}

describe("an archive of an agent's tree", () => {
  test.each<[string, Planted[]]>([
    ["leads up", [root, { path: "w/../../x" }]],
    ["is absolute", [root, { path: "/etc/x" }]],
    ["has an empty component", [root, { path: "w//x" }]],
    ["has a dot for a component", [root, { path: "w/./x" }]],
    ["has no directory", [root, { path: "w/none/x" }]],
    ["goes through a link", [root, { path: "w/l", kind: "link", linkTo: "/etc" }, { path: "w/l/passwd" }]],
    ["goes through a file", [root, { path: "w/f" }, { path: "w/f/x" }]],
    ["comes twice", [root, { path: "w/f" }, { path: "w/f" }]],
    ["takes a link's place", [root, { path: "w/l", kind: "link", linkTo: "/etc/x" }, { path: "w/l" }]],
    ["makes a directory of a link", [root, { path: "w/l", kind: "link", linkTo: "/etc" }, { path: "w/l/" }]],
    ["is a hard link to nothing here", [root, { path: "w/h", type: "1", linkTo: "etc/passwd" }]],
    ["is a hard link out", [root, { path: "w/h", type: "1", linkTo: "w/../../etc/passwd" }]],
    [
      "is a hard link to a link",
      [root, { path: "w/l", kind: "link", linkTo: "/etc/passwd" }, { path: "w/h", type: "1", linkTo: "w/l" }],
    ],
  ])("is refused when a member %s", async (_what, members) => {
    const to = place()
    await expect(unpackTree(archive(...members), to)).rejects.toThrow()
    expect(lstatSync("/etc/passwd").isFile()).toBe(true)
  })

  test("leaves devices and pipes behind, and takes hard links within itself", async () => {
    const to = place()
    const devices = ["3", "4", "6", "7"].map((type, index): Planted => ({ path: `w/d${index}`, type }))
    const twice: Planted[] = [
      { path: "w/f", content: "x" },
      { path: "w/g", type: "1", linkTo: "w/f" },
    ]
    expect(await unpackTree(archive(root, ...devices, ...twice), to)).toEqual({ left: 4 })
    expect(readdirSync(to).sort()).toEqual(["f", "g"])
    expect(readFileSync(join(to, "g"), "utf8")).toBe("x")
  })

  test("is refused when it ends early, or is none", async () => {
    const whole = Buffer.concat([
      tarHeader({ ...root, kind: "dir", uid: 0, gid: 0, size: 0, mtime: 0, mode: 0 }),
      tarEnd,
    ])
    await expect(unpackTree(Readable.from([whole.subarray(0, 512)]), place())).rejects.toThrow("ends too early")
    await expect(unpackTree(Readable.from([Buffer.alloc(512, 48)]), place())).rejects.toThrow("not an archive")
  })
})

describe("the archive's reader", () => {
  test("is the same however the bytes are cut, as tar itself writes them", async () => {
    const from = place()
    mkdirSync(join(from, "d"))
    writeFileSync(join(from, "d", "n".repeat(180)), "content")
    for (const format of ["gnu", "pax", "ustar"]) {
      if (format === "ustar") writeFileSync(join(from, "d", "short"), "s")
      const names = format === "ustar" ? ["d/short"] : ["d"]
      const made = Bun.spawnSync(["tar", `--format=${format}`, "-C", from, "-cf", "-", ...names])
      const whole = read(Buffer.from(made.stdout), 1_000_000)
      expect(whole.length).toBeGreaterThan(0)
      for (const length of [1, 511, 513]) expect(read(Buffer.from(made.stdout), length)).toEqual(whole)
    }
  })

  function read(bytes: Buffer, length: number): string[] {
    const seen: string[] = []
    const reader = new TarReader({
      begin: ({ path, kind, size }) => void seen.push(`${kind} ${path} ${size} `),
      bytes: (chunk) => {
        seen.push(`${seen.pop()}${chunk}`)
      },
      end: () => undefined,
    })
    for (const chunk of cut(bytes, length)) reader.push(chunk)
    reader.finish()
    return seen
  }

  test("never does anything but read or throw, whatever it is given", () => {
    const whole = Buffer.concat([
      tarHeader({ path: "n".repeat(150), kind: "file", mode: 0o644, uid: 0, gid: 0, size: 3, mtime: 1 }),
      Buffer.from("abc"),
      padding(3),
      tarEnd,
    ])
    for (let round = 0; round < 3000; round += 1) {
      const bytes = Buffer.from(whole)
      const at = (round * 7919) % bytes.length
      bytes[at] = (bytes[at]! + 1 + (round % 255)) & 0xff
      try {
        read(bytes, 200)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        expect((error as Error).message).toMatch(/archive|header|content|size|long/)
      }
    }
  })
})

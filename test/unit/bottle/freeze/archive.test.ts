import { describe, expect, test } from "bun:test"
import { archiveLimits, checkArchive, type Member } from "../../../../src/bottle/freeze/archive.ts"
import { type RawMember, rawTar } from "../../../support/freeze/raw-tar.ts"

const root: RawMember = { path: "home/", type: "5", mode: 0o700 }
const file: RawMember = { path: "home/f", content: "data" }

interface Checked {
  members: Member[]
  left: number
  bytes: Buffer
}

async function check(
  archive: Buffer,
  foreign: "mend" | "refuse",
  limits = archiveLimits,
  pieceBytes = 700,
): Promise<Checked> {
  const result: Checked = { members: [], left: 0, bytes: Buffer.alloc(0) }
  const pieces = async function* () {
    for (let at = 0; at < archive.length; at += pieceBytes) yield archive.subarray(at, at + pieceBytes)
  }
  const parts: Buffer[] = []
  const checked = checkArchive(pieces(), {
    tree: "home",
    foreign,
    limits,
    member: (member) => void result.members.push(member),
    left: () => {
      result.left += 1
    },
  })
  for await (const part of checked) parts.push(part)
  return { ...result, bytes: Buffer.concat(parts) }
}

describe("an archive of an agent's tree", () => {
  test("is listed with a hash a file, and once mended passes unchanged ever after", async () => {
    const archive = rawTar([
      root,
      file,
      { path: "home/dir/", type: "5", mode: 0o755 },
      { path: "home/dir/link", type: "2", linkTo: "../../../etc/passwd" },
      { path: "home/twin", type: "1", linkTo: "home/f" },
      { path: "home/\xff", content: "" },
      { path: "ignored", pax: { path: `home/dir/${"n".repeat(300)}`, mtime: "1.5" }, content: "x".repeat(1000) },
    ])
    const first = await check(archive, "mend")
    expect(first.left).toBe(0)
    expect(first.members.map(({ path, kind, to, raw }) => ({ path, kind, to, raw }))).toEqual([
      { path: "", kind: "dir", to: undefined, raw: undefined },
      { path: "f", kind: "file", to: undefined, raw: undefined },
      { path: "dir", kind: "dir", to: undefined, raw: undefined },
      { path: "dir/link", kind: "link", to: "../../../etc/passwd", raw: undefined },
      { path: "twin", kind: "hard-link", to: "f", raw: undefined },
      { path: "/w==", kind: "file", to: undefined, raw: true },
      { path: `dir/${"n".repeat(300)}`, kind: "file", to: undefined, raw: undefined },
    ])
    expect(first.members[1]?.sha256).toBe(new Bun.CryptoHasher("sha256").update("data").digest("hex"))
    for (const pieceBytes of [1, 511, 512, 100_000]) {
      const again = await check(first.bytes, "refuse", archiveLimits, pieceBytes)
      expect(again.bytes.equals(first.bytes)).toBe(true)
      expect(again.members).toEqual(first.members)
    }
  })

  const mended: [string, RawMember[], left: number][] = [
    ["a set-id bit", [root, { ...file, mode: 0o4755 }], 0],
    ["a sticky bit", [root, { path: "home/d", type: "5", mode: 0o1777 }], 0],
    ["an attribute", [root, { ...file, pax: { "SCHILY.xattr.security.capability": "\x01\x02" } }], 0],
    ["an owner by name", [root, { ...file, pax: { uname: "root", uid: "0" } }], 0],
    ["a device", [root, { path: "home/d", type: "3" }], 1],
    ["a block device", [root, { path: "home/d", type: "4" }], 1],
    ["a pipe", [root, { path: "home/p", type: "6" }], 1],
    ["a kind that nobody knows", [root, { path: "home/p", type: "Z", content: "abc" }], 1],
    [
      "a second name of a pipe",
      [root, { path: "home/p", type: "6" }, { path: "home/q", type: "1", linkTo: "home/p" }],
      2,
    ],
    ["a name longer than any call takes", [root, { ...file, pax: { path: `home/${"d/".repeat(2500)}f` } }], 1],
  ]
  test.each(mended)("%s is taken off or left out of a freeze, and refused in one", async (_what, members, left) => {
    const archive = rawTar([...members, { path: "home/last", content: "kept" }])
    const first = await check(archive, "mend")
    expect(first.left).toBe(left)
    expect(first.members.at(-1)?.path).toBe("last")
    expect(first.members.every(({ mode }) => mode <= 0o777)).toBe(true)
    expect((await check(first.bytes, "refuse")).members).toEqual(first.members)
    if (!archive.equals(first.bytes) && _what !== "a name longer than any call takes") {
      await expect(check(archive, "refuse")).rejects.toThrow()
    }
  })

  const refused: [string, RawMember[]][] = [
    ["a name that leads up", [root, { path: "home/../etc/passwd" }]],
    ["an absolute name", [root, { path: "/home/f" }]],
    ["a name in another tree", [root, { path: "other/f" }]],
    ["a name that only begins like the tree", [root, { path: "homely/f" }]],
    ["a name with a dot in the way", [root, { path: "home/./f" }]],
    ["an empty part of a name", [root, { path: "home//f" }]],
    ["a name in an extended header", [root, { path: "home/f", pax: { path: "home/../../f" } }]],
    ["the name of a file with holes", [root, { ...file, pax: { "GNU.sparse.name": "../f", "GNU.sparse.major": "1" } }]],
    ["a file below a link", [root, { path: "home/l", type: "2", linkTo: "/etc" }, { path: "home/l/passwd" }]],
    ["a file below a file", [root, file, { path: "home/f/g" }]],
    ["a file in no directory", [root, { path: "home/d/f" }]],
    ["the same name twice", [root, file, file]],
    ["a link over a directory", [root, { path: "home/d", type: "5" }, { path: "home/d", type: "2", linkTo: "/" }]],
    ["a tree that is a link", [{ path: "home", type: "2", linkTo: "/" }]],
    ["a tree that is a file", [{ path: "home" }]],
    ["no tree at all", []],
    [
      "a second name of a directory",
      [root, { path: "home/d", type: "5" }, { path: "home/e", type: "1", linkTo: "home/d" }],
    ],
    ["content of a link", [root, { path: "home/l", type: "2", linkTo: "x", content: "abc" }]],
    ["a global header", [root, { path: "g", type: "g", content: "13 path=home\n" }]],
    ["a size that is negative", [root, { ...file, pax: { size: "-1" } }]],
    ["a size beyond all", [root, { ...file, pax: { size: "1e400" } }]],
    ["an extended header that is none", [root, { path: "pax", type: "x", content: "99999 path=home/f\n" }, file]],
  ]
  test.each(refused)("with %s is refused", async (what, members) => {
    await expect(check(rawTar(members), "refuse")).rejects.toThrow()
    // A freeze may leave a member of no known kind out; it never lets one through.
    const mend = await check(rawTar(members), "mend").catch(() => undefined)
    if (what === "a global header") expect(mend?.left ?? 1).toBe(1)
    else expect(mend).toBeUndefined()
  })

  test("that breaks off, goes on after its end, or has a wrong sum is refused", async () => {
    const whole = rawTar([root, file])
    for (const length of [0, 100, 512, 700, 1024, whole.length - 1024]) {
      await expect(check(whole.subarray(0, length), "refuse")).rejects.toThrow("ends too early")
    }
    await expect(check(Buffer.concat([whole, Buffer.from("more")]), "refuse")).rejects.toThrow("follows")
    const flipped = Buffer.from(whole)
    flipped[3] = 0x41
    await expect(check(flipped, "refuse")).rejects.toThrow("not an archive")
  })

  test("is held to its limits", async () => {
    const many = Array.from({ length: 20 }, (_, at) => ({ path: `home/${at}`, content: "x".repeat(600) }))
    await expect(check(rawTar([root, ...many]), "mend", { members: 10, bytes: 1e9 })).rejects.toThrow("10 files")
    await expect(check(rawTar([root, ...many]), "mend", { members: 99, bytes: 5000 })).rejects.toThrow("5000 bytes")
    await expect(
      check(rawTar([root, { ...file, size: 2 ** 32 }]), "mend", { members: 9, bytes: 2 ** 31 }),
    ).rejects.toThrow()
  })
})

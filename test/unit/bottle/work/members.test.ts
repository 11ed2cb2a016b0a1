import { describe, expect, test } from "bun:test"
import { Readable } from "node:stream"
import { tarEnd, tarHeader } from "../../../../src/backends/docker/trees/tar-write.ts"
import { readMembers } from "../../../../src/bottle/work/copy/members.ts"

const limits = { bytes: 100, members: 10 }
const common = { mode: 0o4755, uid: 0, gid: 0, size: 0, mtime: 1 }
const file = (path: string, text = "") => {
  const body = Buffer.from(text)
  const fill = Buffer.alloc((512 - (body.length % 512)) % 512)
  return Buffer.concat([tarHeader({ ...common, path, kind: "file", size: body.length }), body, fill])
}
const dir = (path: string) => tarHeader({ ...common, path: `${path}/`, kind: "dir" })
const link = (path: string, linkTo: string) => tarHeader({ ...common, path, kind: "link", linkTo })
/** The same header with another type: what the writer would never make. */
const typed = (path: string, type: string, linkTo = "") => {
  const header = Buffer.from(tarHeader({ ...common, path, kind: "link", linkTo }))
  header.write(type, 156, "latin1")
  header.write("        ", 148, "latin1")
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return header
}

async function read(...members: Buffer[]) {
  const seen: string[] = []
  const sink = {
    begin: ({ path, kind, mode }: { path: string; kind: string; mode: number }) =>
      void seen.push(`${kind} ${path} ${mode.toString(8)}`),
    bytes: () => undefined,
    end: () => undefined,
    again: (path: string, of: string) => void seen.push(`again ${path} of ${of}`),
  }
  const archive = Readable.from([Buffer.concat([...members, tarEnd])])
  const left = await readMembers({ archive, prefix: "w" }, sink, limits)
  return { seen, left }
}

describe("what comes out of a bottle", () => {
  test("is files and directories, without set-id bits, below what was asked for", async () => {
    const { seen, left } = await read(dir("w"), dir("w/d"), file("w/d/f", "x"), file("other/f"))
    expect(seen).toEqual(["dir  755", "dir d 755", "file d/f 755"])
    expect(left).toEqual({ links: 0, special: 0, git: 0, odd: 0 })
  })

  test("never a link, what lies below one, a device or a pipe", async () => {
    const { seen, left } = await read(
      dir("w"),
      link("w/l", "/etc"),
      file("w/l/passwd", "x"),
      typed("w/dev", "3"),
      typed("w/p", "6"),
    )
    expect(seen).toEqual(["dir  755"])
    expect(left).toEqual({ links: 1, special: 2, git: 0, odd: 1 })
  })

  test("a hard link only to a file that came before", async () => {
    const { seen, left } = await read(
      dir("w"),
      file("w/f", "x"),
      typed("w/g", "1", "w/f"),
      typed("w/h", "1", "/etc/passwd".slice(1)),
    )
    expect(seen).toEqual(["dir  755", "file f 755", "again g of f"])
    expect(left.links).toBe(1)
  })

  test("never a .git in any spelling, whose settings would act here", async () => {
    const { seen, left } = await read(
      dir("w"),
      dir("w/.git"),
      file("w/.git/config", "x"),
      dir("w/s"),
      file("w/s/.GIT", "gitdir: x"),
    )
    expect(seen).toEqual(["dir  755", "dir s 755"])
    expect(left.git).toBe(2)
  })

  test("no name with control characters", async () => {
    const { seen, left } = await read(dir("w"), file("w/\x1b]52;c;x\x07"), file("w/two\nlines"))
    expect([seen, left.odd]).toEqual([["dir  755"], 2])
  })

  test.each(["../x", "w/../../x", "/etc/passwd", "w//x", "w/./x"])(
    "nothing at all of an archive that names %j",
    async (path) => {
      await expect(read(dir("w"), file(path, "x"))).rejects.toMatchObject({ code: "bad-archive" })
    },
  )

  test("no more than the limits", async () => {
    await expect(read(dir("w"), file("w/f", "x".repeat(101)))).rejects.toMatchObject({ code: "too-large" })
    const many = Array.from({ length: 11 }, (_, at) => file(`w/${at}`))
    await expect(read(dir("w"), ...many)).rejects.toMatchObject({ code: "too-large" })
  })
})

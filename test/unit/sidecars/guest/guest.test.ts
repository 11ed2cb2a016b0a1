import { describe, expect, test } from "bun:test"
import { isOwnSide, socketAddress } from "../../../../sidecars/guest/addresses.ts"
import { parseLimit } from "../../../../sidecars/guest/limits.ts"
import { parseRequest } from "../../../../sidecars/guest/parse-request.ts"
import { interfacesOf, noPrivileges } from "../../../../sidecars/guest/probes.ts"
import { membersOf, parseStat } from "../../../../sidecars/guest/processes.ts"
import { WriteQueue } from "../../../../sidecars/guest/write-queue.ts"

describe("a socket address", () => {
  const hex = (address: string) => Buffer.from(socketAddress(address, 443)?.bytes.subarray(4) ?? []).toString("hex")

  test.each([
    ["192.0.2.1", "c00002010000000000000000"],
    ["2001:db8::1", `0000000020010db8${"0".repeat(22)}0100000000`],
    ["::", `00000000${"0".repeat(32)}00000000`],
    ["fe80::1%eth0", `00000000fe80${"0".repeat(26)}0100000000`],
    ["::ffff:192.0.2.1", `00000000${"0".repeat(20)}ffffc000020100000000`],
    ["1:2:3:4:5:6:7:8", "000000000001000200030004000500060007000800000000"],
  ])("of %s is the kernel's", (address, wanted) => {
    expect(hex(address)).toBe(wanted)
  })

  test.each(["", "1.2.3", "256.1.1.1", "example.org", "1::2::3", "1:2:3", "1:2:3:4:5:6:7:8:9", "g::1", ":::"])(
    "of %j is none",
    (address) => {
      expect(socketAddress(address, 1)).toBeUndefined()
    },
  )

  test("knows what means this side itself", () => {
    expect(["127.0.0.1", "::1", "fe80::1%eth0", "10.0.0.1", "fd00::1", "1.127.0.1"].map(isOwnSide)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})

describe("a request", () => {
  const start = { op: "start", argv: ["a"], env: { A: "1" }, cwd: "/", pty: null, stdin: false }

  test("is read as the protocol has it", () => {
    expect(parseRequest(JSON.stringify(start))).toEqual(start as never)
    expect(parseRequest('{"op":"status","more":1}')).toEqual({ op: "status" })
  })

  test.each<[string, unknown]>([
    ["no argv", { ...start, argv: [] }],
    ["a number in argv", { ...start, argv: [1] }],
    ["a NUL in argv", { ...start, argv: ["a\0b"] }],
    ["an environment of objects", { ...start, env: { A: {} } }],
    ["an environment that is a list", { ...start, env: ["A"] }],
    ["half a size", { ...start, pty: { cols: 1 } }],
    ["a huge size", { ...start, pty: { cols: 1e9, rows: 1 } }],
    ["no stdin", { ...start, stdin: undefined }],
    ["a mode with set-id bits", { op: "files", files: [{ path: "/x", mode: 0o4755, content: "" }] }],
    ["a file without a path", { op: "files", files: [{ mode: 0o600, content: "" }] }],
    ["addresses that are none", { op: "prove", hostAddresses: [1], proxy: "" }],
    ["nothing", null],
  ])("with %s is refused in words", (_what, value) => {
    expect(parseRequest(JSON.stringify(value))).toBeString()
  })
})

describe("processes", () => {
  test("are read also when their name imitates the format", () => {
    expect(parseStat("42 (a) S 1 (b c) R 7 40 41 0 -1")).toEqual({
      pid: 42,
      parent: 7,
      group: 40,
      session: 41,
      zombie: false,
    })
    expect(parseStat("nonsense")).toBeUndefined()
  })

  test("of a session are found by session and by group, the dead left out", () => {
    const at = (pid: number, group: number, session: number, zombie = false) => ({
      pid,
      parent: 1,
      group,
      session,
      zombie,
    })
    expect(membersOf(5, [at(5, 5, 5), at(6, 6, 5), at(7, 5, 9), at(8, 8, 8), at(9, 5, 5, true)])).toEqual([5, 6, 7])
  })
})

describe("privileges", () => {
  const status = "CapInh:\t0\nCapPrm:\t0\nCapEff:\t0\nCapBnd:\t0\nCapAmb:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\n"
  test("are none", () => expect(noPrivileges(status).ok).toBe(true))
  test.each([
    ["CapBnd:\t0", "CapBnd:\t1"],
    ["NoNewPrivs:\t1", "NoNewPrivs:\t0"],
    ["Seccomp:\t2", "Seccomp:\t0"],
    ["CapAmb", "Other"],
  ])("are seen: %s as %s", (from, to) => {
    expect(noPrivileges(status.replace(from, to)).ok).toBe(false)
  })
  test("interfaces are read from the kernel's table", () => {
    expect(interfacesOf("Inter-| Receive\n face |bytes\n    lo: 0 0\neth0:12 3\n")).toEqual(["lo", "eth0"])
  })
})

test("limits are a few known ones", () => {
  expect(parseLimit("nproc=20")).toEqual({ resource: "nproc", value: 20 })
  for (const text of ["nproc", "nproc=x", "stack=1", "=1", "nproc=-1"]) expect(() => parseLimit(text)).toThrow()
})

describe("a write queue", () => {
  const slowSocket = () => {
    const state = { room: 0, got: "", shut: 0 }
    const queue = new WriteQueue({
      write(bytes) {
        const taken = Math.min(state.room, bytes.length)
        state.got += Buffer.from(bytes.subarray(0, taken)).toString()
        state.room -= taken
        return taken
      },
      shutdown: () => void state.shut++,
    })
    return { queue, state }
  }
  const bytes = (text: string) => new TextEncoder().encode(text)

  test("keeps the order, says when to wait, and ends after the last byte", async () => {
    const { queue, state } = slowSocket()
    state.room = 3
    expect(queue.write(bytes("ab"))).toBe(true)
    expect(queue.write(bytes("cde"))).toBe(false)
    expect(queue.write(bytes("f"))).toBe(false)
    queue.end()
    expect([state.got, state.shut]).toEqual(["abc", 0])
    const drained = queue.drained()
    state.room = 100
    queue.flush()
    queue.flush()
    await drained
    expect([state.got, state.shut]).toEqual(["abcdef", 1])
  })

  test("copies what it keeps, since the caller's buffer is used again", () => {
    const { queue, state } = slowSocket()
    const buffer = bytes("xyz")
    queue.write(buffer)
    buffer.fill(0)
    state.room = 10
    queue.flush()
    expect(state.got).toBe("xyz")
  })

  test("waits for nobody once the socket is gone", async () => {
    const { queue } = slowSocket()
    queue.write(bytes("x"))
    const drained = queue.drained()
    queue.close()
    await drained
    expect(queue.write(bytes("y"))).toBe(true)
  })
})

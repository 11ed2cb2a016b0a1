import { dlopen, ptr, read } from "bun:ffi"
import { readdirSync, readFileSync } from "node:fs"

/** What the kernel answers to calls that a bottle must not make: a line of JSON, name to errno (0: allowed). */
export function reportCalls(): void {
  const { symbols } = dlopen("libc.so.6", {
    __errno_location: { args: [], returns: "ptr" },
    syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64"], returns: "i64" },
  })
  const call = (number: number, a = 0, b = 0, c = 0, d = 0, e = 0): number => {
    if (Number(symbols.syscall(number, a, b, c, d, e)) !== -1) return 0
    const location = symbols.__errno_location()
    return location === null ? -1 : read.i32(location, 0)
  }
  const x64 = process.arch === "x64"
  const number = (intel: number, arm: number) => (x64 ? intel : arm)
  const path = ptr(Buffer.from("/proc/self/fd\0"))
  const results = {
    mount: call(number(165, 40), path, path, 0, 0, 0),
    bpf: call(number(321, 280), 0, 0, 0),
    keyctl: call(number(250, 219), 0, 0, 0),
    userfaultfd: call(number(323, 282), 0),
    perf: call(number(298, 241), 0, 0, -1, -1, 0),
    clone3: call(435, 0, 0),
    io_uring: call(425, 1, 0),
    unshareUser: call(number(272, 97), 0x10000000),
    unshareNet: call(number(272, 97), 0x40000000),
    vsock: call(number(41, 198), 40, 1, 0),
    packet: call(number(41, 198), 17, 3, 0),
    tiocsti: call(number(16, 29), 0, 0x5412, path),
    openByHandle: call(number(304, 265), 0, 0, 0),
    unknown: call(9999),
    ...(x64 ? { x32: call(0x40000000 + 39) } : {}),
  }
  const environ = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8")
    } catch {
      return ""
    }
  }
  const seen = {
    processes: readdirSync("/proc").filter((name) => /^\d+$/.test(name)),
    initCommand: readFileSync("/proc/1/cmdline", "utf8").split("\0").join(" "),
    initEnvironment: environ("1"),
    openFiles: readdirSync("/proc/self/fd").length,
    root: readdirSync("/"),
    run: readdirSync("/run"),
    etc: readdirSync("/etc"),
  }
  console.log(JSON.stringify({ results, seen }))
}

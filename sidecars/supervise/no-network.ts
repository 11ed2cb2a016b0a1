import { dlopen, ptr } from "bun:ffi"
import { readdirSync, readFileSync } from "node:fs"
import { openLibc } from "../guest/libc.ts"

/** Numbers of system calls where they differ between machines (asm/unistd_64.h, asm-generic/unistd.h). */
const machines = {
  x64: {
    ...{ audit: 0xc000003e, seccomp: 317, socket: 41, connect: 42, execve: 59, execveat: 322, ptrace: 101 },
    ...{ process_vm_readv: 310, process_vm_writev: 311, unshare: 272, setns: 308 },
    /** Numbers from here on belong to another ABI of the same machine (x32). */
    foreignFrom: 0x40000000,
  },
  arm64: {
    ...{ audit: 0xc00000b7, seccomp: 277, socket: 198, connect: 203, execve: 221, execveat: 281, ptrace: 117 },
    ...{ process_vm_readv: 270, process_vm_writev: 271, unshare: 97, setns: 268 },
    foreignFrom: undefined,
  },
} as const
/** The same everywhere. */
const ioUringSetup = 425
const pidfdGetfd = 438

const errno = (number: number) => 0x00050000 | number
const answer = {
  allow: 0x7fff0000,
  kill: 0x80000000,
  refused: errno(1),
  absent: errno(38),
  noFamily: errno(97),
} as const
const op = { load: 0x20, equal: 0x15, atLeast: 0x35, ret: 0x06 } as const
/** Offsets in struct seccomp_data. */
const at = { number: 0, machine: 4, firstArgument: 16 } as const
const unixFamily = 1

type Instruction = readonly [code: number, jt: number, jf: number, k: number]

/**
 * Take every way to a network from this process for good, in all of its threads: no socket but Unix ones, none of which
 * it can connect, only listen on. Nor can it start programs or look into others. For a sidecar that reads an agent's
 * words and needs nothing but its own socket (SECURITY 6); holds also where no namespace can be made. Throws when
 * the kernel does not do it: then the process must end.
 */
export function forbidNetwork(): void {
  const program = filterFor(process.arch)
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  program.forEach(([code, jt, jf, k], index) => {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, jt)
    view.setUint8(index * 8 + 3, jf)
    view.setUint32(index * 8 + 4, k, true)
  })
  const header = new DataView(new ArrayBuffer(16))
  header.setUint16(0, program.length, true)
  header.setBigUint64(8, BigInt(ptr(bytes)), true)
  const [setNoNewPrivileges, setModeFilter, allThreads] = [38, 1, 1]
  const libc = openLibc()
  libc.prctl(setNoNewPrivileges, 1)
  const { symbols, close } = dlopen("libc.so.6", {
    syscall: { args: ["i64", "i64", "i64", "ptr"], returns: "i64" },
  })
  const number = machineOf(process.arch).seccomp
  const result = Number(symbols.syscall(number, setModeFilter, allThreads, ptr(new Uint8Array(header.buffer))))
  close()
  const inet = libc.socket(2, 1, 0)
  if (inet >= 0) libc.close(inet)
  const open = readdirSync("/proc/self/task").filter((task) => !isFiltered(task))
  if (result !== 0 || inet >= 0 || open.length > 0) {
    throw new Error(`this process cannot be kept from the network (${result}, ${inet}, ${open.length} threads)`)
  }
}

function isFiltered(task: string): boolean {
  return /^Seccomp:\s*2$/m.test(readFileSync(`/proc/self/task/${task}/status`, "utf8"))
}

function machineOf(arch: string): (typeof machines)["x64" | "arm64"] {
  if (arch === "x64" || arch === "arm64") return machines[arch]
  throw new Error(`no system call filter for this machine (${arch})`)
}

function filterFor(arch: string): Instruction[] {
  const machine = machineOf(arch)
  const { connect, execve, execveat, ptrace, process_vm_readv, process_vm_writev, unshare, setns } = machine
  const refused = [connect, execve, execveat, ptrace, process_vm_readv, process_vm_writev, unshare, setns, pidfdGetfd]
  const unless = (number: number, result: number): Instruction[] => [
    [op.equal, 0, 1, number],
    [op.ret, 0, 0, result],
  ]
  return [
    [op.load, 0, 0, at.machine],
    [op.equal, 1, 0, machine.audit],
    [op.ret, 0, 0, answer.kill],
    [op.load, 0, 0, at.number],
    ...(machine.foreignFrom === undefined
      ? []
      : ([
          [op.atLeast, 0, 1, machine.foreignFrom],
          [op.ret, 0, 0, answer.absent],
        ] as const)),
    ...refused.flatMap((number) => unless(number, answer.refused)),
    ...unless(ioUringSetup, answer.absent),
    [op.equal, 0, 3, machine.socket],
    [op.load, 0, 0, at.firstArgument],
    [op.equal, 1, 0, unixFamily],
    [op.ret, 0, 0, answer.noFamily],
    [op.ret, 0, 0, answer.allow],
  ]
}

import { aarch64Syscalls } from "./aarch64-syscalls.ts"
import type { ArgumentTest, ConditionalCall, SeccompProfile } from "./profile.ts"
import { x86_64Syscalls } from "./x86-64-syscalls.ts"

/**
 * The profile as a classic BPF program, the form in which the kernel and `bwrap --seccomp` take a filter. Layouts and
 * constants are those of linux/seccomp.h, linux/audit.h and linux/bpf_common.h.
 */

export type Architecture = "x86_64" | "aarch64"

interface Machine {
  audit: number
  syscalls: Readonly<Record<string, number>>
  /** Numbers from here on belong to another ABI of the same machine (x32). */
  foreignFrom?: number
}

const machines: Record<Architecture, Machine> = {
  x86_64: { audit: 0xc000003e, syscalls: x86_64Syscalls, foreignFrom: 0x40000000 },
  aarch64: { audit: 0xc00000b7, syscalls: aarch64Syscalls },
}

/** The filter's name for what `process.arch` says, or undefined where there is no table. */
export function architectureOf(arch: string): Architecture | undefined {
  return arch === "x64" ? "x86_64" : arch === "arm64" ? "aarch64" : undefined
}

interface Instruction {
  code: number
  jt: number
  jf: number
  k: number
}

const errno = { EPERM: 1, ENOSYS: 38 } as const
const answer = {
  allow: 0x7fff0000,
  kill: 0x80000000,
  refuse: 0x00050000 | errno.EPERM,
  absent: 0x00050000 | errno.ENOSYS,
} as const

const op = { load: 0x20, jump: 0x05, equal: 0x15, atLeast: 0x35, anyBits: 0x45, ret: 0x06 } as const
const at = { nr: 0, arch: 4, argument: (index: number) => 16 + 8 * index } as const

const load = (k: number): Instruction => ({ code: op.load, jt: 0, jf: 0, k })
const ret = (k: number): Instruction => ({ code: op.ret, jt: 0, jf: 0, k })
const branch = (code: number, k: number, jt: number, jf: number): Instruction => ({ code, jt, jf, k: k >>> 0 })

/** Code for one conditional call: leaves by a return in every case. */
function conditionalCode(call: ConditionalCall): Instruction[] {
  return [...call.allowWhen.flatMap(alternativeCode), ret(answer.refuse)]
}

/** Allow when all tests hold, else fall through to what follows. */
function alternativeCode(tests: readonly ArgumentTest[]): Instruction[] {
  const code: Instruction[] = []
  tests.forEach((test, position) => {
    const past = 2 * (tests.length - position - 1) + 1
    code.push(load(at.argument(test.index)), testCode(test, past))
  })
  return [...code, ret(answer.allow)]
}

function testCode(test: ArgumentTest, past: number): Instruction {
  if (test.op === "equal") return branch(op.equal, test.value, 0, past)
  return branch(test.op === "not-equal" ? op.equal : op.anyBits, test.value, past, 0)
}

/** From `from` on, up to the next segment, every number is answered by `code`. */
interface Segment {
  from: number
  key: string
  code: Instruction[]
}

/** Numbers in order, neighbours with the same answer joined: what the search tree is made of. */
function segmentsOf(profile: SeccompProfile, syscalls: Readonly<Record<string, number>>): Segment[] {
  const byNumber = new Map<number, { key: string; code: Instruction[] }>()
  const put = (name: string, key: string, code: Instruction[]) => {
    const number = syscalls[name]
    if (number !== undefined) byNumber.set(number, { key, code })
  }
  for (const name of profile.allow) put(name, "allow", [ret(answer.allow)])
  for (const name of profile.absent) put(name, "absent", [ret(answer.absent)])
  for (const call of profile.conditional) put(call.name, call.name, conditionalCode(call))
  const last = Math.max(...Object.values(syscalls))
  const segments: Segment[] = []
  for (let number = 0; number <= last; number++) {
    const found = byNumber.get(number) ?? { key: "refuse", code: [ret(answer.refuse)] }
    if (segments.at(-1)?.key !== found.key) segments.push({ from: number, ...found })
  }
  // Calls newer than the table do not exist in here: programs fall back as they would on an older kernel.
  segments.push({ from: last + 1, key: "newer", code: [ret(answer.absent)] })
  return segments
}

/** A binary search by number: about seven comparisons a call instead of a walk through the list. */
function treeCode(segments: readonly Segment[]): Instruction[] {
  const [only] = segments
  if (only !== undefined && segments.length === 1) return only.code
  const middle = segments.length >> 1
  const pivot = segments[middle]
  if (pivot === undefined) return [ret(answer.refuse)]
  const below = treeCode(segments.slice(0, middle))
  const above = treeCode(segments.slice(middle))
  // A conditional jump reaches 255 instructions, a plain one any distance.
  const head =
    below.length <= 255
      ? [branch(op.atLeast, pivot.from, below.length, 0)]
      : [branch(op.atLeast, pivot.from, 0, 1), { code: op.jump, jt: 0, jf: 0, k: below.length }]
  return [...head, ...below, ...above]
}

/** The filter's instructions as bytes (struct sock_filter, little-endian), ready for `bwrap --seccomp`. */
export function compileBpf(profile: SeccompProfile, architecture: Architecture): Uint8Array {
  const machine = machines[architecture]
  const program = [load(at.arch), branch(op.equal, machine.audit, 1, 0), ret(answer.kill), load(at.nr)]
  if (machine.foreignFrom !== undefined) {
    program.push(branch(op.atLeast, machine.foreignFrom, 0, 1), ret(answer.absent))
  }
  program.push(...treeCode(segmentsOf(profile, machine.syscalls)))
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  program.forEach((instruction, index) => {
    view.setUint16(index * 8, instruction.code, true)
    view.setUint8(index * 8 + 2, instruction.jt)
    view.setUint8(index * 8 + 3, instruction.jf)
    view.setUint32(index * 8 + 4, instruction.k, true)
  })
  return bytes
}

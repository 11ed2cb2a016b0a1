import { describe, expect, test } from "bun:test"
import { aarch64Syscalls } from "../../../../src/backends/seccomp/aarch64-syscalls.ts"
import { type Architecture, architectureOf, compileBpf } from "../../../../src/backends/seccomp/bpf.ts"
import { coverOutside, toDockerJson } from "../../../../src/backends/seccomp/docker.ts"
import { profile, sidecarProfile } from "../../../../src/backends/seccomp/profile.ts"
import { x86_64Syscalls } from "../../../../src/backends/seccomp/x86-64-syscalls.ts"
import { runFilter } from "./interpret-bpf.ts"

const allow = 0x7fff0000
const eperm = 0x00050001
const enosys = 0x00050026
const kill = 0x80000000
const machines = {
  x86_64: { audit: 0xc000003e, syscalls: x86_64Syscalls },
  aarch64: { audit: 0xc00000b7, syscalls: aarch64Syscalls },
} as const

for (const architecture of Object.keys(machines) as Architecture[]) {
  const { audit, syscalls } = machines[architecture]
  const program = compileBpf(profile, architecture)
  const ask = (name: string, ...args: (number | bigint)[]) =>
    runFilter(program, { nr: syscalls[name]!, arch: audit, args: args.map(BigInt) })

  describe(`the filter for ${architecture}`, () => {
    test("is short enough for the kernel", () => {
      expect(program.length / 8).toBeLessThan(4096)
    })

    test("answers every number of the table as the profile says", () => {
      const conditional = new Set(profile.conditional.map((call) => call.name))
      for (const [name, nr] of Object.entries(syscalls)) {
        if (conditional.has(name)) continue
        const wanted = profile.absent.includes(name) ? enosys : profile.allow.includes(name) ? allow : eperm
        expect([name, runFilter(program, { nr, arch: audit })]).toEqual([name, wanted])
      }
    })

    test.each([
      "mount umount2 pivot_root open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr setns",
      "bpf add_key keyctl request_key userfaultfd perf_event_open init_module finit_module kexec_load",
      "io_uring_setup io_uring_enter io_uring_register",
      "open_by_handle_at name_to_handle_at reboot swapon syslog settimeofday clock_settime chroot",
    ])("refuses %s", (names) => {
      for (const name of names.split(" ")) expect([name, ask(name)]).toEqual([name, eperm])
    })

    test("refuses a sidecar whatever it refuses an agent, and what only debuggers need", () => {
      const sidecars = compileBpf(sidecarProfile, architecture)
      for (const [name, nr] of Object.entries(syscalls)) {
        const agents = runFilter(program, { nr, arch: audit })
        if (agents !== allow) expect([name, runFilter(sidecars, { nr, arch: audit })]).toEqual([name, agents])
      }
      for (const name of ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "mknodat"])
        expect([name, runFilter(sidecars, { nr: syscalls[name]!, arch: audit })]).toEqual([name, eperm])
    })

    test("clone3 does not exist, so that flags stay visible", () => {
      expect(ask("clone3")).toBe(enosys)
    })

    test.each([
      [1, 1, 0, allow],
      [2, 2, 6, allow],
      [10, 2, 17, allow],
      [16, 3, 0, allow],
      [16, 3, 12, eperm],
      [40, 1, 0, eperm],
      [17, 3, 0, eperm],
      [38, 5, 0, eperm],
      [29, 3, 1, eperm],
      [0xffff, 1, 0, eperm],
    ])("socket(%i, %i, %i) is judged by family and netlink protocol", (domain, type, protocol, wanted) => {
      expect(ask("socket", domain, type, protocol)).toBe(wanted)
    })

    test("clone makes threads and children but no namespace", () => {
      expect(ask("clone", 0x3d0f00)).toBe(allow)
      expect(ask("clone", 0x01200011)).toBe(allow)
      for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
        expect(ask("clone", flag | 17)).toBe(eperm)
        expect(ask("unshare", flag)).toBe(eperm)
      }
      expect(ask("unshare", 0x80)).toBe(eperm)
      expect(ask("unshare", 0x400)).toBe(allow)
    })

    test("ioctl refuses to type into a terminal, whatever the upper half of the command holds", () => {
      for (const command of [0x5412, 0x541c, 0x5423]) {
        expect(ask("ioctl", 0, command)).toBe(eperm)
        expect(ask("ioctl", 0, 0xdead_beef_0000_0000n | BigInt(command))).toBe(eperm)
      }
      expect(ask("ioctl", 0, 0x5413)).toBe(allow)
    })

    test("personality keeps to the harmless ones", () => {
      expect(ask("personality", 0xffffffff)).toBe(allow)
      expect(ask("personality", 0)).toBe(allow)
      expect(ask("personality", 0x0400000)).toBe(eperm)
    })

    test("a call newer than the table does not exist", () => {
      expect(runFilter(program, { nr: 468, arch: audit })).toBe(enosys)
      expect(runFilter(program, { nr: 0xffff, arch: audit })).toBe(enosys)
    })

    test("another architecture is the end of the process", () => {
      for (const arch of [0x40000003, 0x40000028, 0]) expect(runFilter(program, { nr: 1, arch })).toBe(kill)
    })
  })
}

test("x32 calls do not exist", () => {
  const program = compileBpf(profile, "x86_64")
  expect(runFilter(program, { nr: 0x40000000, arch: 0xc000003e })).toBe(enosys)
  expect(runFilter(program, { nr: 0xffffffff, arch: 0xc000003e })).toBe(enosys)
})

test("every name in the profile is a call of a known machine", () => {
  const named = [...profile.allow, ...profile.absent, ...profile.conditional.map((call) => call.name)]
  expect(named.filter((name) => !(name in x86_64Syscalls) && !(name in aarch64Syscalls))).toEqual([])
  expect(new Set(named).size).toBe(named.length)
})

test("machines without a table have no filter", () => {
  expect(architectureOf("x64")).toBe("x86_64")
  expect(architectureOf("arm64")).toBe("aarch64")
  expect(architectureOf("riscv64")).toBeUndefined()
})

describe("the profile as Docker's JSON", () => {
  const json = toDockerJson(profile)

  test("denies by default and names no other architecture", () => {
    expect(json).toMatchObject({ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1 })
    expect(json).not.toHaveProperty("architectures")
  })

  test("never tests one argument twice in a rule, which runc would read as 'or'", () => {
    for (const rule of json.syscalls) {
      const indices = (rule.args ?? []).map((arg) => arg.index)
      expect(new Set(indices).size).toBe(indices.length)
    }
  })

  test("permits of ioctl exactly what the filter permits", () => {
    const rules = json.syscalls.filter((rule) => rule.names[0] === "ioctl")
    const permits = (command: number) =>
      rules.some((rule) => rule.args!.every((arg) => (command & arg.value) >>> 0 === arg.valueTwo))
    for (const command of [0x5412, 0x541c, 0x5423]) expect(permits(command)).toBe(false)
    for (const command of [0, 0x5401, 0x5411, 0x5413, 0x541b, 0x541d, 0x5422, 0x5424, 0xffffffff, 0x80045430]) {
      expect(permits(command)).toBe(true)
    }
  })

  test("covers everything outside a set, and nothing of it", () => {
    expect(coverOutside([])).toEqual([{ mask: 0, value: 0 }])
    expect(coverOutside([0xffffffff])).toHaveLength(32)
  })
})

import type { ArgumentTest, SeccompProfile } from "./profile.ts"

interface MaskedTest {
  index: number
  /** The mask. */
  value: number
  /** What the masked argument must be. */
  valueTwo: number
  op: "SCMP_CMP_MASKED_EQ"
}

/** One rule of Docker's seccomp JSON. */
interface DockerRule {
  names: string[]
  action: "SCMP_ACT_ALLOW" | "SCMP_ACT_ERRNO"
  errnoRet?: number
  args?: MaskedTest[]
}

export interface DockerSeccomp {
  defaultAction: "SCMP_ACT_ERRNO"
  defaultErrnoRet: number
  syscalls: DockerRule[]
}

const low32 = 0xffffffff

/**
 * The profile as the value of Docker's `--security-opt seccomp=`. It names no architecture, so that only the
 * machine's own is served: 32-bit and x32 calls are refused as a whole. Every comparison is masked to the lower
 * half of the argument, which is all that the kernel reads of these: a set upper half would slip through others.
 */
export function toDockerJson(profile: SeccompProfile): DockerSeccomp {
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    syscalls: [
      { names: [...profile.allow], action: "SCMP_ACT_ALLOW" },
      { names: [...profile.absent], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
      ...profile.conditional.flatMap((call) =>
        call.allowWhen
          .flatMap(alternatives)
          .map((args): DockerRule => ({ names: [call.name], action: "SCMP_ACT_ALLOW", args })),
      ),
    ],
  }
}

/**
 * runc joins several tests of one argument by "or", so "neither a nor b" cannot be written as two tests. It becomes
 * the alternatives that cover everything else, by leading bits.
 */
function alternatives(tests: readonly ArgumentTest[]): MaskedTest[][] {
  const index = tests[0]?.index ?? 0
  const unwanted = tests.filter((test) => test.op === "not-equal").map((test) => test.value >>> 0)
  if (unwanted.length === 0) return [tests.map(maskedTest)]
  if (unwanted.length !== tests.length || tests.some((test) => test.index !== index)) {
    throw new TypeError("a list with a not-equal test may test only that argument")
  }
  return coverOutside(unwanted).map(({ mask, value }) => [masked(index, mask, value)])
}

function maskedTest(test: ArgumentTest): MaskedTest {
  return test.op === "no-bits" ? masked(test.index, test.value, 0) : masked(test.index, low32, test.value)
}

const masked = (index: number, value: number, valueTwo: number): MaskedTest => ({
  index,
  value: value >>> 0,
  valueTwo: valueTwo >>> 0,
  op: "SCMP_CMP_MASKED_EQ",
})

/** Masks and values that together match every 32-bit number but the given ones. */
export function coverOutside(values: readonly number[], bit = 31, prefix = 0): { mask: number; value: number }[] {
  if (values.length === 0) return [{ mask: bit === 31 ? 0 : (low32 << (bit + 1)) >>> 0, value: prefix >>> 0 }]
  if (bit < 0) return []
  const set = 2 ** bit
  const isSet = (value: number) => Math.floor(value / set) % 2 === 1
  return [
    ...coverOutside(
      values.filter((value) => !isSet(value)),
      bit - 1,
      prefix,
    ),
    ...coverOutside(values.filter(isSet), bit - 1, prefix + set),
  ]
}

import { openLibc } from "./guest/libc.ts"
import { limitSelf } from "./guest/limits.ts"

export type Hardening = { ok: true } | { ok: false; reason: string }

const setDumpable = 4
const getDumpable = 3

/**
 * Make this process unreadable for others of its user (not dumpable: no ptrace, no /proc/<pid>/mem or environ) and
 * keep it from ever writing a core file (SECURITY 6). For processes that hold secrets, before they hold any; they
 * must end where the result is not ok.
 */
export function hardenProcess(): Hardening {
  try {
    const libc = openLibc()
    limitSelf([], libc)
    const result = libc.prctl(setDumpable, 0)
    if (result < 0) return { ok: false, reason: `prctl: errno ${-result}` }
    return libc.prctl(getDumpable, 0) === 0 ? { ok: true } : { ok: false, reason: "still dumpable" }
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

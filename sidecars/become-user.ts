import { dlopen } from "bun:ffi"
import { readdirSync, readFileSync } from "node:fs"

/**
 * Become another user for good: every group, user id and capability of this process goes, in all of its threads.
 * Throws, with nothing promised about what this process is by then, when the kernel shows anything else afterwards.
 */
export function becomeUser(id: number): void {
  const { symbols, close } = dlopen("libc.so.6", {
    setgroups: { args: ["u64", "ptr"], returns: "i32" },
    setresgid: { args: ["u32", "u32", "u32"], returns: "i32" },
    setresuid: { args: ["u32", "u32", "u32"], returns: "i32" },
  })
  const results = [symbols.setgroups(0, null), symbols.setresgid(id, id, id), symbols.setresuid(id, id, id)]
  close()
  const faults = readdirSync("/proc/self/task").flatMap((task) =>
    faultsOf(readFileSync(`/proc/self/task/${task}/status`, "utf8"), id),
  )
  if (results.some((result) => result !== 0) || faults.length > 0) {
    throw new Error(`this process cannot become user ${id}: ${faults.join(", ") || results.join(" ")}`)
  }
}

/** What in a /proc status says that this is more than the plain user. */
export function faultsOf(status: string, id: number): string[] {
  const field = (name: string) => (status.match(new RegExp(`^${name}:(.*)$`, "m"))?.[1] ?? "?").trim()
  const ids = ["Uid", "Gid"].filter(
    (name) =>
      !field(name)
        .split(/\s+/)
        .every((value) => value === String(id)),
  )
  const powers = ["CapPrm", "CapEff", "CapInh", "CapAmb"].filter((name) => !/^0+$/.test(field(name)))
  return [...ids, ...powers, ...(field("Groups") === "" ? [] : ["Groups"])].map((name) => `${name} ${field(name)}`)
}

import { expect, test } from "bun:test"
import { childArgv } from "../../../../sidecars/supervisor/spawn-child.ts"

const place = { control: "/run/x/ctl/s", sockets: "/run/x/net", isolate: "bwrap", sidecars: [] } as const

test("a sidecar has a user and PID namespace of its own, dies with the supervisor and cannot see the control socket", () => {
  const argv = childArgv("egress", "/b", place)
  for (const flag of ["--unshare-user", "--unshare-pid", "--die-with-parent", "--clearenv"])
    expect(argv).toContain(flag)
  expect(argv.join(" ")).toContain("--tmpfs /run/x/ctl")
  expect(argv.slice(argv.indexOf("--") + 1)).toEqual(["/b", "sidecar", "--child", "egress"])
})

test("a sidecar is under the filter that its backend gave", () => {
  expect(childArgv("egress", "/b", { ...place, filter: "/f" }).join(" ")).toContain("--seccomp 3")
  expect(childArgv("egress", "/b", place)).not.toContain("--seccomp")
})

test("a backend that separates sidecars itself runs them as they are", () => {
  expect(childArgv("egress", "/b", { ...place, isolate: "none" })).toEqual(["/b", "sidecar", "--child", "egress"])
})

test("supervise has no network, egress has", () => {
  expect(childArgv("supervise", "/b", place)).toContain("--unshare-net")
  expect(childArgv("egress", "/b", place)).not.toContain("--unshare-net")
})

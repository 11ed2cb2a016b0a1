import { describe, expect, test } from "bun:test"
import { type Boundary, bind, bindWritable } from "../../../../src/backends/namespace/boundary.ts"
import { judge, type ProcessView } from "../../../../src/backends/namespace/prove-outside.ts"

const names = ["user", "net", "pid", "mnt", "ipc", "uts"]
const namespaces = (id: number) => Object.fromEntries(names.map((name) => [name, `${name}:[${id}]`]))
const status = `Uid:\t7\t7\t7\t7\nGid:\t7\t7\t7\t7\nCapInh:\t0000\nCapPrm:\t0000\nCapEff:\t0000\nCapBnd:\t0000\nCapAmb:\t0000\nNoNewPrivs:\t1\nSeccomp:\t2\n`
const mountinfo = `1 0 0:1 / / ro,nosuid - tmpfs tmpfs rw
2 1 0:2 / /proc rw - proc proc rw
3 1 0:3 / /dev ro - tmpfs tmpfs rw
4 3 0:4 /null /dev/null rw - devtmpfs devtmpfs rw
5 1 8:1 / /usr ro - ext4 /dev/sda rw
6 5 8:2 / /usr/local ro - ext4 /dev/sdb rw
7 1 8:1 /x /home/a\\040b rw - ext4 /dev/sda rw
`
const good: ProcessView = { netDev: "Inter-|\n face |\n    lo: 0 0\n", status, mountinfo, namespaces: namespaces(2) }
const host: ProcessView = { ...good, namespaces: namespaces(1) }
const boundary: Boundary = {
  parts: [bind("/usr"), bindWritable("/x", "/home/a b")],
  shareNetwork: false,
  hostname: "bottle",
  cwd: "/",
  env: {},
  argv: ["/bin/true"],
  dieWithParent: false,
}
const failing = (view: Partial<ProcessView>) =>
  judge([good, { ...good, ...view }], host, boundary)
    .filter((probe) => !probe.ok)
    .map((probe) => `${probe.name}: ${probe.detail}`)

describe("the outside proof", () => {
  test("holds for a boundary as planned", () => {
    expect(failing({})).toEqual([])
  })

  test.each<[string, Partial<ProcessView>]>([
    ["interfaces: eth0", { netDev: "    lo: 0\n  eth0: 0\n" }],
    ["interfaces: no lo", { netDev: "" }],
    ["namespaces: net is the host's", { namespaces: { ...namespaces(2), net: "net:[1]" } }],
    ["namespaces: user is the host's", { namespaces: { net: "a", pid: "a", mnt: "a", ipc: "a", uts: "a" } }],
    ["user: Uid 7 0 7 7", { status: status.replace("Uid:\t7\t7", "Uid:\t7\t0") }],
    ["user: Gid missing", { status: status.replace("Gid", "Xid") }],
    ["capabilities: CapBnd 0400", { status: status.replace("CapBnd:\t0000", "CapBnd:\t0400") }],
    ["no-new-privileges: NoNewPrivs 0", { status: status.replace("NoNewPrivs:\t1", "NoNewPrivs:\t0") }],
    ["seccomp: Seccomp 0", { status: status.replace("Seccomp:\t2", "Seccomp:\t0") }],
    ["seccomp: Seccomp missing", { status: status.replace("Seccomp", "Xeccomp") }],
    ["mounts: /run was not planned", { mountinfo: `${mountinfo}8 1 8:1 / /run ro - ext4 /dev/sda rw\n` }],
    ["mounts: /usr can be written", { mountinfo: mountinfo.replace("/usr ro", "/usr rw") }],
    ["mounts: /usr/local can be written", { mountinfo: mountinfo.replace("/usr/local ro", "/usr/local rw") }],
    ["mounts: / can be written", { mountinfo: mountinfo.replace("/ / ro", "/ / rw") }],
    ["mounts: /usr is missing", { mountinfo: mountinfo.replace(/^[56].*\n/gm, "") }],
  ])("fails with %s", (wanted, view) => {
    expect(failing(view)).toEqual([wanted])
  })
})

import { afterAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inside as insidePaths } from "../../../sidecars/guest/protocol.ts"
import { agentBoundary, pathsOf } from "../../../src/backends/namespace/agent-boundary.ts"
import { type Boundary, bindWritable } from "../../../src/backends/namespace/boundary.ts"
import { startBoundary } from "../../../src/backends/namespace/bwrap.ts"
import { connectInside, connectWhenReady } from "../../../src/backends/namespace/connect.ts"
import { killAll, markProcess } from "../../../src/backends/namespace/host-processes.ts"
import { identitiesFor } from "../../../src/backends/namespace/identity.ts"
import { proveOutside } from "../../../src/backends/namespace/prove-outside.ts"
import { giveTree, prepareDirectories } from "../../../src/backends/namespace/trees.ts"
import { architectureOf, compileBpf } from "../../../src/backends/seccomp/bpf.ts"
import { profile } from "../../../src/backends/seccomp/profile.ts"
import { readFirstLine, writeLine } from "../../../src/lib/lines.ts"
import { expectWithin } from "../../support/pace.ts"
import { requirePart } from "../../support/require.ts"
import { cleanUpAfterwards, isRoot, specIn, useFakeBinary } from "./test-bottle.ts"

const binary = useFakeBinary()
cleanUpAfterwards()

/** bubblewrap in a network of the test's own, with an interface and routes that lead nowhere. */
const openNetwork = `#!/bin/sh
exec unshare ${isRoot ? "-n" : "-Urn"} /bin/sh -c '
  ip link set lo up && ip link add out0 type veth peer name far0 && ip link set far0 up && ip link set out0 up
  ip addr add 192.0.2.200/24 dev out0; ip -6 addr add 2001:db8::200/64 dev out0 nodad
  ip route add default via 192.0.2.254
  exec bwrap "$@"' sh "$@"
`

interface Break {
  change?: (boundary: Boundary) => Boundary
  seccomp?: false
  network?: true
}

/** Build the agent's boundary with one thing wrong, and prove it from both sides. */
async function failedProbes(wrong: Break): Promise<{ inside: string[]; outside: string[] }> {
  const spec = specIn(binary())
  // In root's room there is no such program as the test's, so that the open network is made without it.
  const caller = wrong.network ? 1 : (process.getuid?.() ?? 1)
  const identities = identitiesFor(spec.slug, { uid: caller, gid: caller }, "0 0 4294967295")
  prepareDirectories(spec, identities)
  if (identities.dedicated) {
    await giveTree(pathsOf(spec).home, identities.agent)
    await giveTree(pathsOf(spec).workspace, identities.agent)
  }
  const tools = mkdtempSync(join(tmpdir(), "bottle-tools-"))
  afterAll(() => rmSync(tools, { recursive: true, force: true }))
  writeFileSync(join(tools, "bwrap"), openNetwork)
  chmodSync(join(tools, "bwrap"), 0o755)
  const planned = agentBoundary(spec, [])
  const { monitor, pid } = startBoundary({
    boundary: wrong.change?.(planned) ?? planned,
    tools: { bwrap: wrong.network ? join(tools, "bwrap") : "/usr/bin/bwrap", setpriv: "/usr/bin/setpriv" },
    become: identities.dedicated ? identities.agent : undefined,
    seccomp: wrong.seccomp === false ? undefined : compileBpf(profile, architectureOf(process.arch) ?? "x86_64"),
    marker: "broken",
    scratch: spec.runtimeDir,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  })
  const init = await pid
  if (init === undefined) throw new Error(await new Response(monitor.stderr as ReadableStream).text())
  const mark = markProcess(init)
  try {
    const stream = await connectWhenReady(
      () => connectInside(init, insidePaths.guestSocket),
      () => monitor.exitCode === null,
      5000,
    )
    writeLine(stream, { op: "prove", hostAddresses: ["192.0.2.77"], proxy: "http://127.0.0.1:9099" })
    const answer = JSON.parse(await readFirstLine(stream)) as { probes: { name: string; ok: boolean }[] }
    const failing = (probes: { name: string; ok: boolean }[]) =>
      probes.filter((probe) => !probe.ok).map((probe) => probe.name)
    // No sidecar runs in this test.
    const inside = failing(answer.probes).filter((name) => !name.startsWith("proxy-"))
    return { inside, outside: failing(proveOutside(init, planned)) }
  } finally {
    if (mark !== undefined) await killAll([mark])
  }
}

describe.skipIf(!requirePart("bwrap"))("a fence that is broken", () => {
  test("by nothing passes", async () => {
    expect(await failedProbes({})).toEqual({ inside: [], outside: [] })
  })

  test("by a missing filter is seen from both sides", async () => {
    const { inside, outside } = await failedProbes({ seccomp: false })
    expect(outside).toEqual(["seccomp"])
    for (const name of ["io-uring", "new-user-namespace", "privileges"]) expect(inside).toContain(name)
  })

  test("by a network is seen from both sides, without waiting for an answer", async () => {
    const begun = performance.now()
    const { inside, outside } = await failedProbes({
      network: true,
      change: (boundary) => ({ ...boundary, shareNetwork: true }),
    })
    expectWithin(2000, begun)
    expect(outside).toContain("interfaces")
    if (isRoot) expect(outside).toContain("user")
    for (const name of [
      "interfaces",
      "routes-v4",
      "routes-v6",
      "tcp-documentation-v4",
      "tcp-documentation-v6",
      "tcp-metadata",
      "tcp-host",
      "udp-dns",
    ]) {
      expect(inside).toContain(name)
    }
  })

  test("by a mount that nobody planned is seen from outside", async () => {
    const dir = mkdtempSync(join(tmpdir(), "bottle-extra-"))
    chmodSync(dir, 0o777)
    afterAll(() => rmSync(dir, { recursive: true, force: true }))
    const add = (boundary: Boundary): Boundary => ({
      ...boundary,
      parts: [...boundary.parts.slice(0, -1), bindWritable(dir, "/extra")],
    })
    const { outside } = await failedProbes({ change: add })
    expect(outside).toEqual(["mounts"])
  })

  test("by a writable /usr is seen from outside", async () => {
    const open = (boundary: Boundary): Boundary => ({
      ...boundary,
      parts: boundary.parts.map((part) =>
        part.kind === "bind" && part.target === "/usr" ? { ...part, readonly: false } : part,
      ),
    })
    const { outside } = await failedProbes({ change: open })
    // Root's room shows /usr read-only, whatever the boundary asks for.
    if (!isRoot) expect(outside).toEqual(["mounts"])
  })
})

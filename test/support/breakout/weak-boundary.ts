import { cpSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { agentBoundary, pathsOf } from "../../../src/backends/namespace/agent-boundary.ts"
import { readUidMap, startBoundary } from "../../../src/backends/namespace/bwrap.ts"
import { identitiesFor } from "../../../src/backends/namespace/identity.ts"
import { requireTools } from "../../../src/backends/namespace/tools.ts"
import { giveTree, prepareDirectories } from "../../../src/backends/namespace/trees.ts"
import { architectureOf, compileBpf } from "../../../src/backends/seccomp/bpf.ts"
import { profile } from "../../../src/backends/seccomp/profile.ts"

/**
 * `bun weak-boundary.ts GUARD DIR ATTACKS`: the agent's boundary of the namespace backend, made of the product's own parts
 * as root does it, with `network` or `seccomp` left out, or with `none` whole. Runs the attacks in ATTACKS and prints
 * what they print.
 */

const [guard = "", dir = "", attacks = ""] = process.argv.slice(2)
const slug = "weak-00000"
const spec = {
  slug,
  stateDir: join(dir, "state"),
  runtimeDir: join(dir, "run"),
  binary: process.execPath,
  home: "/home/node",
  workspace: "/workspace",
  user: "node",
  mounts: [],
  ports: {},
  sidecars: [],
  limits: {},
}
for (const path of [spec.stateDir, spec.runtimeDir]) mkdirSync(path, { recursive: true })
const identities = identitiesFor(slug, { uid: 0, gid: 0 }, readUidMap())
prepareDirectories(spec, identities)
const paths = pathsOf(spec)
cpSync(attacks, paths.workspace, { recursive: true })
for (const path of [paths.home, paths.workspace]) await giveTree(path, identities.agent)

const whole = agentBoundary(spec, [])
const architecture = architectureOf(process.arch)
if (architecture === undefined) throw new Error("no filter for this machine")
const started = startBoundary({
  boundary: {
    ...whole,
    shareNetwork: guard === "network",
    cwd: "/workspace",
    argv: ["/usr/bin/env", "python3", "runner.py"],
  },
  tools: requireTools(true, ""),
  become: identities.agent,
  seccomp: guard === "seccomp" ? undefined : compileBpf(profile, architecture),
  marker: slug,
  scratch: spec.runtimeDir,
  stdin: "ignore",
  stdout: "pipe",
  stderr: "pipe",
})
const { stdout, stderr } = started.monitor
if (!(stdout instanceof ReadableStream) || !(stderr instanceof ReadableStream)) throw new Error("no pipes")
const [out, errors] = await Promise.all([new Response(stdout).text(), new Response(stderr).text()])
console.log(out)
console.error(errors)

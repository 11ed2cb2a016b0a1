import { mkdirSync, mkdtempSync } from "node:fs"
import { join } from "node:path"
import type { Backend, DockerChoice, LaunchSpec, Limits, Probe, RunningBottle } from "../../../src/backends/backend.ts"
import { createDockerBackend } from "../../../src/backends/docker/index.ts"
import { createNamespaceBackend } from "../../../src/backends/namespace/index.ts"
import { bringUp } from "../../../src/bottle/keeper/bring-up.ts"
import type { KeeperOrder } from "../../../src/bottle/keeper/protocol.ts"
import type { EgressPolicy } from "../../../src/policy/types.ts"
import { binary } from "../../support/command.ts"
import type { TestEngine } from "../../support/docker/engine.ts"
import { withoutQueue } from "../../support/supervise/without-queue.ts"

export function backendOf(engine: TestEngine): Backend {
  return createDockerBackend({ arch: process.arch, env: { DOCKER_HOST: engine.host }, trees: createNamespaceBackend() })
}

let count = 0

export function specIn(dir: string, docker: DockerChoice = {}, limits: Limits = {}): LaunchSpec {
  const base = mkdtempSync(join(dir, "b-"))
  const spec: LaunchSpec = {
    slug: `test-${process.pid}-${count++}`,
    stateDir: join(base, "state"),
    runtimeDir: join(base, "run"),
    binary,
    home: "/home/node",
    workspace: "/workspace",
    user: "node",
    mounts: [],
    ports: { 9099: "egress" },
    sidecars: ["egress"],
    limits,
    docker,
  }
  for (const path of ["state/fs/home", "state/fs/workspace", "run"]) {
    mkdirSync(join(base, path), { recursive: true, mode: 0o700 })
  }
  return spec
}

export const secret = "sk-test-0123456789abcdef0123456789abcdef"

/** A bottle as the keeper brings it up: configured, with a secret in its sidecars, and proved from both sides. */
export async function bringUpIn(
  backend: Backend,
  spec: LaunchSpec,
): Promise<{ bottle: RunningBottle; probes: Probe[]; close(): void }> {
  const policy: EgressPolicy = { routes: [], allowlist: [], log: 0, supervise: false }
  const order = {
    plan: { slug: spec.slug, policy, sidecars: spec.sidecars },
    memory: { argv: [], resumeArgv: [], env: {}, files: [] },
    secrets: { slots: { TOKEN: secret } },
    resume: false,
  } as unknown as KeeperOrder
  const { bottle, link, probes } = await bringUp(order, {
    backend,
    spec,
    hostAddresses: () => ["192.0.2.7"],
    recorded: async () => undefined,
    step: () => undefined,
    control: {
      ...withoutQueue(() => policy),
      onState: () => undefined,
      onEvent: () => undefined,
      onClose: () => undefined,
    },
    cancelled: new Promise<never>(() => undefined),
  })
  return { bottle, probes, close: () => link.close() }
}

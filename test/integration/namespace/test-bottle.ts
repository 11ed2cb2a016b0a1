import { afterAll, beforeAll } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LaunchSpec, Limits, Mount, RunningBottle, RuntimeRecord } from "../../../src/backends/backend.ts"
import { createNamespaceBackend } from "../../../src/backends/namespace/index.ts"

export const backend = createNamespaceBackend()
export const isRoot = process.getuid?.() === 0

/** Builds the stand-in binary once a test file; its directory is readable for all, as an installed program's is. */
export function useFakeBinary(): () => string {
  let dir = ""
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "bottle-fake-"))
    const out = join(dir, "bottle")
    const flags = ["--compile", "--minify", "--splitting", "--format=esm"]
    const built = Bun.spawn(
      [process.execPath, "build", ...flags, join(import.meta.dir, "fake-bottle.ts"), "--outfile", out],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    )
    if ((await built.exited) !== 0) throw new Error(await new Response(built.stderr).text())
  }, 300_000)
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  return () => join(dir, "bottle")
}

export interface TestBottle {
  bottle: RunningBottle
  spec: LaunchSpec
  records: RuntimeRecord[]
}

let count = 0
const made: string[] = []

/** Called at the top of a test file: takes away what its bottles left. */
export function cleanUpAfterwards(): void {
  afterAll(() => {
    for (const base of made.splice(0)) rmSync(base, { recursive: true, force: true })
  })
}

/** Directories of one bottle: private, as the real state's are. */
export function specIn(binary: string, more: { limits?: Limits; mounts?: readonly Mount[] } = {}): LaunchSpec {
  const base = mkdtempSync(join(tmpdir(), "bns-"))
  const slug = `test-${process.pid}-${count++}`
  const spec: LaunchSpec = {
    slug,
    stateDir: join(base, "state"),
    runtimeDir: join(base, "run"),
    binary,
    home: "/home/node",
    workspace: "/home/node/workspace",
    user: "node",
    mounts: more.mounts ?? [],
    ports: { 9099: "egress" },
    sidecars: ["egress"],
    limits: more.limits ?? {},
  }
  for (const dir of [spec.stateDir, spec.runtimeDir]) mkdirSync(dir, { mode: 0o700 })
  made.push(base)
  return spec
}

export async function launch(spec: LaunchSpec): Promise<TestBottle> {
  const records: RuntimeRecord[] = []
  const bottle = await backend.launch(spec, async (record) => void records.push(structuredClone(record)))
  return { bottle, spec, records }
}

import { existsSync, mkdirSync, mkdtempSync, renameSync } from "node:fs"
import { join } from "node:path"
import type { Readable } from "node:stream"
import type { Backend, LaunchSpec } from "../../backend.ts"
import { type Engine, unlessMissing } from "../engine.ts"
import { labelsFor, type VolumeRole, volumeName } from "../names.ts"
import { packTree } from "./pack.ts"
import { unpackTree } from "./unpack.ts"

/** What handles the host's side of agent-written trees: another backend's, where there is one. */
export type HostTrees = Pick<Backend, "probe" | "sealed" | "ownTree" | "removeTree" | "freezer">

const owner = { uid: 1000, gid: 1000 }

/** Home and workspace: where they are on the host, and inside. */
function treesOf(spec: LaunchSpec) {
  return [
    { role: "home", host: join(spec.stateDir, "fs/home"), inside: spec.home },
    { role: "workspace", host: join(spec.stateDir, "fs/workspace"), inside: spec.workspace },
  ] as const
}

/**
 * Make a bottle's volumes. True: home and workspace are there, complete, from an earlier launch, and are used as they
 * are. False: they are new and want `packTrees`, then `markFilled`.
 */
export async function prepareVolumes(engine: Engine, spec: LaunchSpec): Promise<boolean> {
  const filled = await unlessMissing(engine.getVolume(volumeName(spec.slug, "filled")).inspect())
  const fresh: VolumeRole[] = filled === undefined ? ["net", "config", "home", "workspace"] : ["net", "config"]
  await Promise.all(
    fresh.map(async (role) => {
      await removeVolume(engine, volumeName(spec.slug, role))
      await engine.createVolume({ Name: volumeName(spec.slug, role), Labels: labelsFor(spec.slug, role) })
    }),
  )
  return filled !== undefined
}

/** Say that home and workspace are complete in their volumes. */
export async function markFilled(engine: Engine, slug: string): Promise<void> {
  await engine.createVolume({ Name: volumeName(slug, "filled"), Labels: labelsFor(slug, "filled") })
}

/** The host's trees as members of an archive that is unpacked at the root of a container which has their volumes. */
export function* packTrees(spec: LaunchSpec): Generator<Buffer> {
  for (const { host, inside } of treesOf(spec)) {
    mkdirSync(host, { recursive: true, mode: 0o700 })
    yield* packTree(host, { ...owner, root: inside.slice(1) })
  }
}

/**
 * Copy the volumes' trees to the host. Each is written beside its place and takes it when it is complete. The bottle
 * goes on meanwhile: the engine reads in a chroot, and what an agent changes under its hands ends at worst the copy. It
 * is not paused, since an engine whose container is frozen while a program is started in it stands still for good.
 */
export async function bringTrees(engine: Engine, spec: LaunchSpec, container: string, host: HostTrees): Promise<void> {
  const agent = engine.getContainer(container)
  for (const tree of treesOf(spec)) {
    const incoming = mkdtempSync(join(spec.stateDir, "fs/.incoming-"))
    try {
      await unpackTree((await agent.getArchive({ path: tree.inside })) as Readable, incoming)
      await host.ownTree(incoming, spec.slug)
      const before = mkdtempSync(join(spec.stateDir, "fs/.before-"))
      // It is not there where an earlier exchange was cut off between its two steps.
      if (existsSync(tree.host)) renameSync(tree.host, join(before, tree.role))
      renameSync(incoming, tree.host)
      await host.removeTree(before)
    } finally {
      await host.removeTree(incoming)
    }
  }
}

/** Remove volumes of a bottle; what is gone already is no error. */
export async function removeVolumes(engine: Engine, slug: string, roles: readonly VolumeRole[]): Promise<void> {
  await Promise.all(roles.map((role) => removeVolume(engine, volumeName(slug, role))))
}

async function removeVolume(engine: Engine, name: string): Promise<void> {
  await unlessMissing(engine.getVolume(name).remove())
}

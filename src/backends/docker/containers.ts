import type { ContainerInspectInfo } from "dockerode"
import { type Engine, statusOf, unlessMissing } from "./engine.ts"
import { type ContainerRole, containerName, isOwnContainer, roleLabel, slugLabel } from "./names.ts"
import type { ContainerMark } from "./record.ts"

const goneMilliseconds = 15_000

/** What the engine says of a recorded container; undefined: it is gone, or is not the one that was recorded. */
export async function lookAt(
  engine: Engine,
  mark: ContainerMark,
  slug: string,
  role: ContainerRole,
): Promise<ContainerInspectInfo | undefined> {
  const info = await unlessMissing(engine.getContainer(mark.id).inspect())
  return info !== undefined && isPlanned(info, mark, slug, role) ? info : undefined
}

/** SECURITY 4: role, image and network mode are looked at before anything is sent to a container. */
function isPlanned(info: ContainerInspectInfo, mark: ContainerMark, slug: string, role: ContainerRole): boolean {
  return (
    info.Id === mark.id &&
    info.Image === mark.image &&
    info.Name === `/${containerName(slug, role)}` &&
    info.Config.Labels[slugLabel] === slug &&
    info.Config.Labels[roleLabel] === role &&
    info.HostConfig.NetworkMode === (role === "agent" ? "none" : "bridge")
  )
}

/** End and remove a bottle's containers, the recorded ones and any that the engine still has under its label. */
export async function removeContainers(engine: Engine, slug: string, known: readonly string[]): Promise<void> {
  await Promise.all(known.map((id) => removeContainer(engine, id)))
  const found = await engine.listContainers({ all: true, filters: { label: [`${slugLabel}=${slug}`] } })
  const left = found.filter(({ Id, Names }) => !known.includes(Id) && isOwnContainer(slug, Names))
  await Promise.all(left.map(({ Id }) => removeContainer(engine, Id)))
}

async function removeContainer(engine: Engine, id: string): Promise<void> {
  const limit = performance.now() + goneMilliseconds
  for (;;) {
    try {
      await unlessMissing(engine.getContainer(id).remove({ force: true, v: true }))
      return
    } catch (error) {
      // 409: somebody else is removing it at this moment.
      if (statusOf(error) !== 409 || performance.now() > limit) throw error
    }
    await Bun.sleep(20)
  }
}

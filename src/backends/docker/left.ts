import type { Leftover } from "../backend.ts"
import { type Engine, unlessMissing } from "./engine.ts"
import { frozenRepository, isOwnContainer, slugLabel, type VolumeRole, volumeName } from "./names.ts"

const roles: readonly VolumeRole[] = ["net", "config", "home", "workspace", "filled"]

/** What an engine still has of a bottle: by our label and our names, which no image can give a container. */
export async function leftInEngine(engine: Engine, slug: string): Promise<Leftover[]> {
  const [containers, images, volumes] = await Promise.all([
    engine.listContainers({ all: true, filters: { label: [`${slugLabel}=${slug}`] } }),
    engine.listImages({ filters: { reference: [frozenRepository(slug)] } }),
    Promise.all(roles.map((role) => unlessMissing(engine.getVolume(volumeName(slug, role)).inspect()))),
  ])
  return [
    ...containers
      .filter(({ Names }) => isOwnContainer(slug, Names))
      .map(({ Names }): Leftover => ({ kind: "container", name: (Names[0] ?? "?").slice(1) })),
    ...volumes.flatMap((volume): Leftover[] => (volume === undefined ? [] : [{ kind: "volume", name: volume.Name }])),
    ...images
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .filter((name) => name.startsWith(`${frozenRepository(slug)}:`))
      .map((name): Leftover => ({ kind: "image", name })),
  ]
}

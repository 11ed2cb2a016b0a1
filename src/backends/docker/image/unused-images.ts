import type { RuntimeRecord, UnusedImage } from "../../backend.ts"
import type { Engine } from "../engine.ts"
import { parseRecord } from "../record.ts"

/** The names that images of agents' are built under (`agent-image.ts`). */
export const agentRepository = "bot-bottle/agent"

/**
 * Images that were built for bottles and that nothing needs now: no container of the engine's is made of it, running
 * or not, and none of these records names it. Found by their names, which no image can give itself.
 */
export async function unusedImages(engine: Engine, records: readonly RuntimeRecord[]): Promise<UnusedImage[]> {
  const [images, containers] = await Promise.all([
    engine.listImages({ filters: { reference: [agentRepository] } }),
    engine.listContainers({ all: true }),
  ])
  const used = new Set([
    ...containers.map(({ ImageID }) => ImageID),
    ...records.flatMap((record) => parseRecord(record)?.agent?.image ?? []),
  ])
  return images
    .filter(({ Id }) => !used.has(Id))
    .flatMap(({ RepoTags, Created, Size }) =>
      (RepoTags ?? [])
        .filter((name) => name.startsWith(`${agentRepository}:`))
        .map((name) => ({ name, madeAt: Created * 1000, bytes: Size })),
    )
}

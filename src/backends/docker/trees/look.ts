import { randomBytes } from "node:crypto"
import { Readable } from "node:stream"
import { BottleError } from "../../../lib/errors.ts"
import type { TreeAccess, TreeName } from "../../backend.ts"
import { type Engine, unlessMissing } from "../engine.ts"
import { labelsFor, lookName, volumeName } from "../names.ts"
import type { DockerRecord } from "../record.ts"

const root = "/look"

/**
 * A bottle's home and workspace through a container that is never started: no program runs in it, its image is our own,
 * and what an agent's links lead to in it is of no use to anybody. Undefined: the volumes were never filled.
 */
export async function openTrees(engine: Engine, record: DockerRecord): Promise<TreeAccess | undefined> {
  const { slug } = record
  if ((await unlessMissing(engine.getVolume(volumeName(slug, "filled")).inspect())) === undefined) return undefined
  const { id } = await engine.createContainer({
    name: `${lookName(slug)}-${randomBytes(4).toString("hex")}`,
    Image: await ownImage(engine, record),
    Labels: labelsFor(slug, "look"),
    Entrypoint: ["/nothing"],
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: "none",
      CapDrop: ["ALL"],
      LogConfig: { Type: "none", Config: {} },
      Mounts: (["home", "workspace"] as const).map((tree) => ({
        ...{ Type: "volume", Source: volumeName(slug, tree), Target: `${root}/${tree}`, ReadOnly: false },
        VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: "", Options: {} } },
      })),
    },
  })
  const container = engine.getContainer(id)
  const place = (tree: TreeName, inner: string) => (inner === "" ? `${root}/${tree}` : `${root}/${tree}/${inner}`)
  return {
    async read(tree, inner) {
      const answer = await unlessMissing(container.getArchive({ path: place(tree, inner) }))
      return answer === undefined ? undefined : Readable.from(answer as AsyncIterable<Uint8Array>)
    },
    async kind(tree, inner) {
      const answer: unknown = await unlessMissing(container.infoArchive({ path: place(tree, inner) }))
      return answer === undefined ? undefined : kindOf(answer)
    },
    async write(tree, inner, archive) {
      await container.putArchive(archive, { path: place(tree, inner), noOverwriteDirNonDir: "true" })
    },
    close: async () => void (await unlessMissing(container.remove({ force: true }))),
  }
}

/** The image of its sidecars, or that of another build of ours where an update has taken it away. */
async function ownImage(engine: Engine, { sidecars }: DockerRecord): Promise<string> {
  const recorded = sidecars && (await unlessMissing(engine.getImage(sidecars.image).inspect()))
  if (recorded) return recorded.Id
  const [other] = await engine.listImages({ filters: { reference: ["bot-bottle/own"] } })
  if (other !== undefined) return other.Id
  throw new BottleError("the engine has no image of ours left to read the bottle's volumes through", {
    code: "docker-image",
    exit: "missingPart",
    hint: "bottle demo --backend docker makes it again",
  })
}

/** A directory's mode, in the header that tells of a path, has the uppermost bit set (Go's `fs.ModeDir`). */
function kindOf(answer: unknown): "directory" | "other" {
  const headers = (answer as { headers?: Record<string, string | undefined> }).headers
  const told = headers?.["x-docker-container-path-stat"]
  const { mode } = JSON.parse(Buffer.from(told ?? "e30=", "base64").toString("utf8")) as { mode?: unknown }
  return typeof mode === "number" && mode >= 2 ** 31 ? "directory" : "other"
}

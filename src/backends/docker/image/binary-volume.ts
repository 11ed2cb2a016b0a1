import { BottleError } from "../../../lib/errors.ts"
import { type Engine, unlessMissing } from "../engine.ts"
import { roleLabel } from "../names.ts"
import type { ImagePart } from "./binary-parts.ts"
import type { OwnImage } from "./own-image.ts"
import { insideBin } from "./relocate.ts"

/** Another launch may be filling the volume at the same time. */
const fillMilliseconds = 60_000

export const binaryVolumeName = (digest: string): string => `bot-bottle-bin-${digest}`

/** An empty volume that says that the other is filled: looking into that one costs a launch 90 ms (measured). */
const wholeMark = (digest: string): string => `bot-bottle-bin-whole-${digest}`

/**
 * The volume by which the binary enters containers of any image, read-only and shared by all bottles of one build.
 * The engine itself fills it from our image, once: nothing is sent a second time.
 */
export async function ensureBinaryVolume(engine: Engine, own: OwnImage, parts: readonly ImagePart[]): Promise<string> {
  const name = binaryVolumeName(own.digest)
  const mark = wholeMark(own.digest)
  const look = (volume: string) => unlessMissing(engine.getVolume(volume).inspect())
  const [found, isMarked] = await Promise.all([look(name), look(mark)])
  if (found !== undefined && isMarked !== undefined) return name
  if (found === undefined) await unlessMissing(engine.getVolume(mark).remove())
  await engine.createVolume({ Name: name, Labels: { [roleLabel]: "binary" } })
  const filler = await engine.createContainer({
    Image: own.id,
    Cmd: ["none"],
    Labels: { [roleLabel]: "filler" },
    NetworkDisabled: true,
    HostConfig: { NetworkMode: "none", Mounts: [{ Type: "volume", Source: name, Target: insideBin }] },
  })
  try {
    const limit = performance.now() + fillMilliseconds
    while (!(await isComplete(engine, filler.id, parts))) {
      if (performance.now() > limit) throw damaged(name)
      await Bun.sleep(50)
    }
  } catch (error) {
    await filler.remove({ force: true, v: true }).catch(() => undefined)
    await engine
      .getVolume(name)
      .remove()
      .catch(() => undefined)
    throw error
  }
  await filler.remove({ force: true, v: true })
  await engine.createVolume({ Name: mark, Labels: { [roleLabel]: "binary" } })
  return name
}

/** Whether a container that has the volume sees every part in its full size. */
async function isComplete(engine: Engine, container: string, parts: readonly ImagePart[]): Promise<boolean> {
  const sizes = await Promise.all(parts.map((part) => sizeOf(engine, container, `/${part.path}`)))
  return sizes.every((size, index) => size === parts[index]?.size)
}

async function sizeOf(engine: Engine, container: string, path: string): Promise<number | undefined> {
  const answer = (await unlessMissing(engine.getContainer(container).infoArchive({ path }))) as
    | { headers?: Record<string, string> }
    | undefined
  const stat = answer?.headers?.["x-docker-container-path-stat"]
  if (stat === undefined) return undefined
  const { size } = JSON.parse(Buffer.from(stat, "base64").toString("utf8")) as { size?: unknown }
  return typeof size === "number" ? size : undefined
}

function damaged(name: string): BottleError {
  return new BottleError(`the volume ${name} does not hold what it should`, {
    code: "docker-volume",
    exit: "failed",
    hint: `remove it, and it is made again: docker volume rm ${name}`,
  })
}

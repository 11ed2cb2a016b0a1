import { dirname } from "node:path"
import { Readable } from "node:stream"
import { type Freezer, type LaunchSpec, type RuntimeRecord, treeNames } from "../../backend.ts"
import { lookAt, removeContainers } from "../containers.ts"
import { type Engine, engineSaid, unlessMissing } from "../engine.ts"
import { binaryParts } from "../image/binary-parts.ts"
import { ensureOwnImage } from "../image/own-image.ts"
import { containerName, frozenRepository, labelsFor, roleLabel, slugLabel, volumeName } from "../names.ts"
import { parseRecord } from "../record.ts"
import { type HostTrees, markFilled, removeVolumes } from "./volumes.ts"

/** Where the trees are in the container that they are read from and written to, under their own names. */
const root = "/bottle"

type WithEngine = <T>(record: RuntimeRecord | undefined, act: (engine: Engine) => Promise<T>) => Promise<T>

/**
 * Home and workspace are volumes, read and written by the engine through a container that is never started; the rest
 * of the agent's system is its container's own layer, which becomes an image.
 */
export function volumesFreezer(withEngine: WithEngine, host: HostTrees): Freezer {
  return {
    freeze: (spec, record, take) =>
      withEngine(record ?? spec.earlier, async (engine) => {
        const filled = await unlessMissing(engine.getVolume(volumeName(spec.slug, "filled")).inspect())
        // Before a first launch was complete everything is still on this machine.
        if (filled === undefined) return host.freezer?.freeze(spec, undefined, take)
        await withHolder(engine, spec, async (holder) => {
          for (const tree of treeNames) {
            await take(tree, (await holder.getArchive({ path: `${root}/${tree}` })) as Readable)
          }
        })
        return commit(engine, spec, record)
      }),
    async thaw(spec, archive) {
      // An engine that is given half an archive waits for the rest: a damaged one is found before.
      for (const tree of treeNames) for await (const _ of archive(tree));
      await withEngine(spec.earlier, async (engine) => {
        await dropVolumes(engine, spec.slug)
        for (const role of treeNames) {
          await engine.createVolume({ Name: volumeName(spec.slug, role), Labels: labelsFor(spec.slug, role) })
        }
        await withHolder(engine, spec, async (holder) => {
          for (const tree of treeNames) await put(holder, Readable.from(archive(tree)))
        })
        await markFilled(engine, spec.slug)
      })
    },
    async clear(spec, system) {
      await host.freezer?.clear(spec, undefined)
      await withEngine(spec.earlier, async (engine) => {
        await dropVolumes(engine, spec.slug)
        await removeFrozenImages(engine, spec.slug, system)
      })
    },
  }
}

/** `filled` first: without it the others count as nothing. */
async function dropVolumes(engine: Engine, slug: string): Promise<void> {
  await removeContainers(engine, slug, [])
  await removeVolumes(engine, slug, ["filled"])
  await removeVolumes(engine, slug, ["home", "workspace"])
}

type Container = ReturnType<Engine["getContainer"]>

async function withHolder(engine: Engine, spec: LaunchSpec, use: (holder: Container) => Promise<void>): Promise<void> {
  const { slug } = spec
  const own = await ensureOwnImage(engine, binaryParts(spec.binary), dirname(spec.runtimeDir))
  const name = containerName(slug, "trees")
  const remove = () => unlessMissing(engine.getContainer(name).remove({ force: true }))
  await remove()
  const holder = await engine.createContainer({
    name,
    Image: own.id,
    Labels: labelsFor(slug, "trees"),
    Entrypoint: ["/never-started"],
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: "none",
      LogConfig: { Type: "none", Config: {} },
      Mounts: treeNames.map((tree) => ({
        ...{ Type: "volume", Source: volumeName(slug, tree), Target: `${root}/${tree}`, ReadOnly: false },
        VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: "", Options: {} } },
      })),
    },
  })
  try {
    await use(holder)
  } finally {
    await remove()
  }
}

/** The library waits for ever for an answer to a stream that breaks off. */
async function put(holder: Container, archive: Readable): Promise<void> {
  const broken = new Promise<never>((_resolve, reject) => archive.on("error", reject))
  const answer = holder.putArchive(archive, { path: root }) as unknown as Promise<Readable>
  await Promise.race([answer.then((stream) => stream.resume?.()), broken]).catch((error: unknown) => {
    throw new Error(`the engine did not take the trees: ${engineSaid(error)}`, { cause: error })
  })
}

/** The agent's container as an image; undefined where there is none any more. Its own variables hold nothing of the bottle's. */
async function commit(
  engine: Engine,
  { slug }: LaunchSpec,
  record: RuntimeRecord | undefined,
): Promise<string | undefined> {
  const found = record === undefined ? undefined : parseRecord(record)
  const agent = found?.agent && (await lookAt(engine, found.agent, slug, "agent"))
  if (!agent) return undefined
  const made = (await engine.getContainer(agent.Id).commit({
    ...{ repo: frozenRepository(slug), tag: crypto.randomUUID(), pause: false },
    changes: `LABEL ${slugLabel}=${slug} ${roleLabel}=frozen`,
  })) as { Id?: string }
  if (typeof made.Id !== "string" || !/^sha256:[0-9a-f]{64}$/.test(made.Id))
    throw new Error("the engine named no image")
  return made.Id
}

/**
 * Remove a bottle's kept systems but one. They are found by name, which only an operator of the engine can give: an
 * image that carries our labels is not one (SECURITY 4).
 */
export async function removeFrozenImages(engine: Engine, slug: string, keep: string | undefined): Promise<void> {
  const found = await engine.listImages({ filters: { reference: [frozenRepository(slug)] } })
  const names = found.flatMap(({ Id, RepoTags }) => (Id === keep ? [] : (RepoTags ?? [])))
  const own = names.filter((name) => name.startsWith(`${frozenRepository(slug)}:`))
  for (const name of own) await unlessMissing(engine.getImage(name).remove())
}

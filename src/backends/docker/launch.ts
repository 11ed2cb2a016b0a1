import { dirname } from "node:path"
import { Readable } from "node:stream"
import { BottleError } from "../../lib/errors.ts"
import type { LaunchSpec, RunningBottle, RuntimeRecord } from "../backend.ts"
import { type AgentOrder, agentContainer, type ImageConfig } from "./container/agent.ts"
import { etcFor } from "./container/etc.ts"
import { sidecarContainer } from "./container/sidecars.ts"
import { removeContainers } from "./containers.ts"
import { type Engine, engineSaid, unlessMissing } from "./engine.ts"
import { ensureAgentImage } from "./image/agent-image.ts"
import { binaryParts } from "./image/binary-parts.ts"
import { ensureBinaryVolume } from "./image/binary-volume.ts"
import { ensureOwnImage } from "./image/own-image.ts"
import { isGvisor } from "./names.ts"
import { openFirst, type ProgramStream } from "./program-stream.ts"
import type { ContainerMark, DockerRecord } from "./record.ts"
import { endBottle, runningBottle } from "./running.ts"
import { packTexts, tarEnd } from "./trees/tar-write.ts"
import { markFilled, packTrees, prepareVolumes } from "./trees/volumes.ts"

/** Make and start both containers. On any failure they are removed again; volumes stay for whoever removes the state. */
export async function launchBottle(
  spec: LaunchSpec,
  recorded: (record: RuntimeRecord) => Promise<void>,
  { engine, recorded: where }: { engine: Engine; recorded: DockerRecord["engine"] },
): Promise<RunningBottle> {
  refuseMounts(spec)
  const { slug } = spec
  const starting: DockerRecord = {
    backend: "docker",
    slug,
    engine: where,
    phase: "starting",
    agent: null,
    sidecars: null,
  }
  await recorded(starting)
  try {
    const { record, control } = await startContainers(spec, starting, recorded, engine)
    const running = { ...record, phase: "running" as const }
    await recorded(running)
    return runningBottle(running, spec, engine, control)
  } catch (error) {
    await endBottle(engine, starting)
    throw error instanceof BottleError ? error : launchFailed(error, isGvisor(spec.docker?.runtime))
  }
}

type MadeRecord = DockerRecord & {
  agent: NonNullable<DockerRecord["agent"]>
  sidecars: NonNullable<DockerRecord["sidecars"]>
}

/** Make and start both containers. The sidecars' starts while the agent's is made. */
async function startContainers(
  spec: LaunchSpec,
  starting: DockerRecord,
  recorded: (record: RuntimeRecord) => Promise<void>,
  engine: Engine,
): Promise<{ record: MadeRecord; control: ProgramStream }> {
  const parts = binaryParts(spec.binary)
  const own = await ensureOwnImage(engine, parts, dirname(spec.runtimeDir))
  const [image, binaryVolume] = await Promise.all([
    agentImage(engine, spec, own.id),
    ensureBinaryVolume(engine, own, parts),
    // A bottle of this name that was not taken down would have its names and hold its volumes.
    removeContainers(engine, spec.slug, []),
  ])
  const isFilled = await prepareVolumes(engine, spec)
  // The sidecars first: whatever the agent's image says, it is not the first to touch the sockets' volume (SECURITY 4).
  const sidecars = { id: (await engine.createContainer(sidecarContainer(spec, own.id))).id, image: own.id }
  await recorded({ ...starting, sidecars })
  const order = { spec, image: image.id, imageConfig: image.config, binaryVolume }
  const [agent, control] = await bothOrNeither(
    startAgent(order, { isFilled, isOwn: image.id === own.id }, engine, (agent) =>
      recorded({ ...starting, sidecars, agent }),
    ),
    startSupervisor(engine, sidecars.id),
  )
  return { record: { ...starting, sidecars, agent }, control }
}

/**
 * Start the sidecars' container with the supervisor's stdin and stdout in hand. Not the agent's: what it runs could open them, since
 * the engine's first process there is of its own user.
 */
async function startSupervisor(engine: Engine, id: string): Promise<ProgramStream> {
  const first = await openFirst(engine, id)
  await engine.getContainer(id).start()
  return first
}

/** Both results, or the first failure once neither is under way any more: what is taken away then stays away. */
async function bothOrNeither<One, Other>(one: Promise<One>, other: Promise<Other>): Promise<[One, Other]> {
  const [first, second] = await Promise.allSettled([one, other])
  if (first.status === "rejected") throw first.reason
  if (second.status === "rejected") throw second.reason
  return [first.value, second.value]
}

/** The agent's container, started with all that is in it by then. */
async function startAgent(
  order: AgentOrder,
  { isFilled, isOwn }: { isFilled: boolean; isOwn: boolean },
  engine: Engine,
  recorded: (agent: ContainerMark) => Promise<void>,
): Promise<ContainerMark> {
  const { spec, image } = order
  const agent = { id: (await engine.createContainer(agentContainer(order))).id, image }
  await recorded(agent)
  const etc = isOwn ? {} : await etcFor(engine, agent, spec, dirname(spec.runtimeDir))
  if (!isFilled || !isOwn) {
    const archive = Readable.from(filling(spec, isFilled, etc))
    await engine.getContainer(agent.id).putArchive(archive, { path: "/" })
  }
  if (!isFilled) await markFilled(engine, spec.slug)
  await engine.getContainer(agent.id).start()
  return agent
}

/** Everything that goes into the agent's container before it starts, as one archive: each costs 40 ms (measured). */
function* filling(spec: LaunchSpec, isFilled: boolean, etc: Readonly<Record<string, string>>): Generator<Buffer> {
  if (!isFilled) yield* packTrees(spec)
  yield* packTexts(etc)
  yield tarEnd
}

/** The image that the agent's container is made of. One that is built was so before, and is only found here. */
async function agentImage(engine: Engine, spec: LaunchSpec, own: string): Promise<{ id: string; config: ImageConfig }> {
  const { build, image } = spec.docker ?? {}
  const built = build === undefined ? undefined : await ensureAgentImage(engine, build, () => undefined)
  const found = await unlessMissing(engine.getImage(built?.id ?? image ?? own).inspect())
  if (found !== undefined) return { id: found.Id, config: { Env: found.Config?.Env, Volumes: found.Config?.Volumes } }
  throw new BottleError(`the engine has no image ${image}`, {
    code: "docker-image",
    exit: "missingPart",
    hint: `an image that is named is never pulled: docker pull ${image}`,
  })
}

/** Nothing of this machine is mounted: the engine may be on another one. */
function refuseMounts(spec: LaunchSpec): void {
  const [mount] = spec.mounts
  if (mount === undefined) return
  throw new BottleError(`${mount.source}: the docker backend shows a bottle nothing of this machine`, {
    code: "docker-mount",
    exit: "badManifest",
    hint: "put it into the image, or use --backend namespace",
  })
}

function launchFailed(error: unknown, gvisor: boolean): BottleError {
  return new BottleError(`the engine could not start the bottle: ${engineSaid(error)}`, {
    code: "docker-launch",
    exit: "failed",
    hint: gvisor
      ? "bottle doctor tries gVisor by itself; without it: docker: {runtime: runc}"
      : "bottle doctor shows what the engine lacks",
    cause: error,
  })
}

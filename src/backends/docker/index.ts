import { BottleError } from "../../lib/errors.ts"
import type { Availability, Backend, RuntimeRecord } from "../backend.ts"
import { lookAt } from "./containers.ts"
import { describeEndpoint, type Endpoint } from "./endpoint.ts"
import { asking, type Engine, openEngine, unlessMissing } from "./engine.ts"
import { insideBin } from "./image/relocate.ts"
import { launchBottle } from "./launch.ts"
import { leftInEngine } from "./left.ts"
import { probeEngine } from "./probe.ts"
import { openExec } from "./program-stream.ts"
import { findEndpoint } from "./reach/find-endpoint.ts"
import { parseEndpoint, recordEndpoint } from "./reach/recorded-endpoint.ts"
import { parseRecord } from "./record.ts"
import { endBottle, runningBottle } from "./running.ts"
import { removeFrozenImages, volumesFreezer } from "./trees/freezer.ts"
import { openTrees } from "./trees/look.ts"
import { bringTrees, type HostTrees, removeVolumes } from "./trees/volumes.ts"

/** What the backend takes from its process; tests give other values. */
export interface DockerDeps {
  arch: string
  env: Readonly<Record<string, string | undefined>>
  trees: HostTrees
}

/** A user that nothing else in the sidecars' container is. */
const nobody = "65534:65534"

/**
 * Bottles in containers of a Docker engine, on this machine or another: everything goes through its API, nothing of
 * this machine is mounted. Both containers can be made from the image that the binary makes of itself.
 */
export function createDockerBackend({ arch, env, trees }: DockerDeps): Backend {
  const opened = new Map<string, Promise<Engine>>()
  const open = (endpoint: Endpoint) => {
    const key = JSON.stringify(endpoint)
    const engine = opened.get(key) ?? openEngine(endpoint)
    opened.set(key, engine)
    return engine
  }
  const endpointOf = (record: RuntimeRecord | undefined) =>
    record?.engine === undefined ? findEndpoint(env) : recordedEngine(record)
  const withEngine = async <T>(
    record: RuntimeRecord | undefined,
    act: (engine: Engine, endpoint: Endpoint) => Promise<T>,
  ): Promise<T> => {
    const endpoint = endpointOf(record)
    return asking(describeEndpoint(endpoint), async () => act(await open(endpoint), endpoint))
  }
  return {
    name: "docker",
    freezer: volumesFreezer(withEngine, trees),
    async probe(earlier): Promise<Availability> {
      try {
        const [engine, host] = await Promise.all([probeEngine(endpointOf(earlier), open, arch), trees.probe()])
        return engine.usable && !host.usable ? withoutSandbox(engine, host.reason) : engine
      } catch (error) {
        if (!(error instanceof BottleError)) throw error
        return { usable: false, reason: error.message, remedy: error.hint ?? "" }
      }
    },
    buildImage: (order, say, earlier) =>
      withEngine(earlier, async (engine) => {
        const { ensureAgentImage } = await import("./image/agent-image.ts")
        return ensureAgentImage(engine, order, say)
      }),
    unusedImages: (records) =>
      withEngine(undefined, async (engine) => (await import("./image/unused-images.ts")).unusedImages(engine, records)),
    removeImage: (name) =>
      withEngine(undefined, async (engine) => {
        await unlessMissing(engine.getImage(name).remove())
      }),
    tryRuntime: (binary, noteDir) =>
      withEngine(undefined, async (engine) => (await import("./try-gvisor.ts")).tryGvisor(engine, binary, noteDir)),
    launch: (spec, recorded) =>
      withEngine(spec.earlier, (engine, endpoint) =>
        launchBottle(spec, recorded, { engine, recorded: recordEndpoint(endpoint) }),
      ),
    async adopt(record, spec) {
      const found = parseRecord(record)
      if (found === undefined || found.agent === null || found.sidecars === null || found.phase !== "running")
        return undefined
      const running = { ...found, agent: found.agent, sidecars: found.sidecars }
      return withEngine(record, async (engine) => {
        const bottle = runningBottle(running, spec, engine)
        const { agent, sidecars } = await bottle.alive()
        return agent && sidecars ? bottle : undefined
      })
    },
    async remove(record) {
      const found = parseRecord(record)
      if (found !== undefined) await withEngine(record, (engine) => endBottle(engine, found))
    },
    async bringTrees(record, spec) {
      const found = parseRecord(record)
      // Before there is a container nothing has been taken from the host.
      if (found?.phase === "starting") return
      const agent = found?.agent
      if (!agent) throw new Error("the record names no container")
      await withEngine(record, (engine) => bringTrees(engine, spec, agent.id, trees))
    },
    async openTrees(record) {
      const found = parseRecord(record)
      return found === undefined ? undefined : withEngine(record, (engine) => openTrees(engine, found))
    },
    left: (record) => withEngine(record, (engine) => leftInEngine(engine, record.slug)),
    forget: (slug, record) =>
      withEngine(record, async (engine) => {
        await endBottle(engine, { slug, agent: null, sidecars: null })
        await removeVolumes(engine, slug, ["home", "workspace", "filled"])
        await removeFrozenImages(engine, slug, undefined)
      }),
    async besideSidecars(record, argv) {
      const found = parseRecord(record)
      return withEngine(record, async (engine) => {
        const info = found?.sidecars && (await lookAt(engine, found.sidecars, found.slug, "sidecars"))
        if (!info) throw new Error("the sidecars' container is gone")
        return openExec(engine, { container: info.Id, user: nobody, argv: [`${insideBin}/bottle`, ...argv] })
      })
    },
    sealed: trees.sealed,
    ownTree: trees.ownTree,
    removeTree: trees.removeTree,
  }
}

/** Another engine is never asked in its place: it would know nothing of the bottle, and a resume would lose its work. */
function recordedEngine(record: RuntimeRecord): Endpoint {
  const endpoint = parseEndpoint(record.engine)
  if (endpoint !== undefined) return endpoint
  throw new BottleError(`the record of ${record.slug} does not say which engine has it`, {
    code: "docker-record",
    exit: "failed",
    hint: `mend "engine" in state/${record.slug}/runtime.json: {"host": "unix:///var/run/docker.sock", "from": "hand"}`,
  })
}

/** What is foreign on this machine's side is looked at in a sandbox of this machine's, if it has one. */
function withoutSandbox(engine: Availability & { usable: true }, reason: string): Availability {
  const warning = `no sandbox on this machine (${reason}): --cwd does not work, and a bottle with files is always kept`
  return { ...engine, warnings: [...engine.warnings, warning] }
}

import { randomBytes } from "node:crypto"
import type { Container, ContainerCreateOptions } from "dockerode"
import type { RuntimeTrial } from "../backend.ts"
import { type Engine, engineSaid } from "./engine.ts"
import { binaryParts } from "./image/binary-parts.ts"
import { ensureOwnImage } from "./image/own-image.ts"
import { insideBin } from "./image/relocate.ts"
import { isGvisor, places, roleLabel, supervisorUser } from "./names.ts"
import type { EngineInfo } from "./probe.ts"

/** A relay gives up after ten. */
const patience = 30_000
const remedy =
  'give it runtimeArgs ["--network=none", "--host-uds=open"] in the engine\'s daemon.json, or do without: docker: {runtime: runc}'

/**
 * Whether gVisor can hold an agent here, found out by starting it: a container of its own, which must reach a socket that
 * a container beside it serves, as an agent's must reach the sidecars'. Undefined: the engine has no such runtime.
 */
export async function tryGvisor(engine: Engine, binary: string, noteDir: string): Promise<RuntimeTrial | undefined> {
  const { Runtimes = {} } = (await engine.info()) as EngineInfo
  const runtime = Object.keys(Runtimes).find((name) => name === "runsc") ?? Object.keys(Runtimes).find(isGvisor)
  if (runtime === undefined) return undefined
  const own = await ensureOwnImage(engine, binaryParts(binary), noteDir)
  const name = `bot-bottle-trial-${randomBytes(6).toString("hex")}`
  const made: Container[] = []
  const make = async (order: ContainerCreateOptions) => {
    const container = await engine.createContainer({ ...trialOf(own.id, name), ...order })
    made.push(container)
    return container
  }
  await engine.createVolume({ Name: name, Labels: { [roleLabel]: "trial" } })
  try {
    const server = await make({ Cmd: ["guest", "--socket", `${places.net}/s`] })
    const host = { ...trialOf(own.id, name).HostConfig, Runtime: runtime }
    const agent = await make({ Cmd: ["sidecar", "--relay", `${places.net}/s`], HostConfig: host })
    await server.start()
    const started = await agent.start().then(
      () => undefined,
      (error: unknown) => engineSaid(error),
    )
    if (started !== undefined) return { runtime, ok: false, detail: `it starts no container: ${started}`, fix: remedy }
    const said = await firstWords(agent)
    if (said.startsWith("+")) return { runtime, ok: true, detail: "starts containers, which reach their sidecars" }
    return { runtime, ok: false, detail: `its containers do not reach their sidecars: ${said}`, fix: remedy }
  } finally {
    for (const container of made) await container.remove({ force: true, v: true }).catch(() => undefined)
    await engine
      .getVolume(name)
      .remove()
      .catch(() => undefined)
  }
}

function trialOf(image: string, volume: string): ContainerCreateOptions {
  return {
    Image: image,
    Entrypoint: [`${insideBin}/bottle`],
    User: supervisorUser,
    Labels: { [roleLabel]: "trial" },
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      LogConfig: { Type: "json-file", Config: { "max-size": "64k" } },
      Mounts: [{ Type: "volume", Source: volume, Target: places.net, ReadOnly: false }],
    },
  }
}

/** What a container says first, on either of its streams; that it ended without a word otherwise. */
async function firstWords(container: Container): Promise<string> {
  for (const limit = performance.now() + patience; performance.now() < limit; await Bun.sleep(100)) {
    const ended = !(await container.inspect()).State.Running
    // Each piece begins with eight bytes that say which stream it is of.
    const said = (await container.logs({ stdout: true, stderr: true })).subarray(8).toString("utf8").trim()
    const [first = ""] = said.split("\n")
    if (said !== "") return first.replace(/^error: bottle itself failed: /, "").slice(0, 200)
    if (ended) return "it ended without a word"
  }
  return "no answer"
}

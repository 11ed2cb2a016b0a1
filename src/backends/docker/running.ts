import type { Duplex, Readable } from "node:stream"
import type { Alive, LaunchSpec, RunningBottle } from "../backend.ts"
import { connectInside, untilReady } from "./connect.ts"
import { lookAt, removeContainers } from "./containers.ts"
import { VolumeMeter } from "./disk-meter.ts"
import { asking, type Engine, statusOf } from "./engine.ts"
import { HoldStill } from "./hold-still.ts"
import { agentUser, type ContainerRole, isGvisor, places, supervisorUser } from "./names.ts"
import { openExec, type ProgramStream } from "./program-stream.ts"
import { proveOutside } from "./prove/prove-outside.ts"
import type { ContainerMark, DockerRecord } from "./record.ts"
import { removeVolumes } from "./trees/volumes.ts"

/** Between two looks at an engine that does not answer: the first pause, and the longest. */
const engineMilliseconds = { first: 250, longest: 5_000 } as const

export type RunningRecord = DockerRecord & { agent: ContainerMark; sidecars: ContainerMark }

/** A bottle whose two containers are there, made by this process or found. `control` is given out before any other. */
export function runningBottle(
  record: RunningRecord,
  spec: LaunchSpec,
  engine: Engine,
  control?: ProgramStream,
): RunningBottle {
  let unused = control
  const still = new HoldStill()
  const look = (role: ContainerRole) => lookAt(engine, record[role], record.slug, role)
  const isAlive = async (role: ContainerRole) => (await look(role))?.State.Running === true
  const connectTo = async (role: ContainerRole, open: () => Promise<Duplex>) => {
    const who = role === "agent" ? "guest" : "sidecar supervisor"
    if (!(await isAlive(role))) throw new Error(`the ${who} does not answer: its container has ended`)
    try {
      return await open()
    } catch (error) {
      throw new Error(`the ${who} does not answer: ${(error as Error).message}`, { cause: error })
    }
  }
  const openControl = () => {
    const first = unused
    unused = undefined
    if (first !== undefined) return untilReady(first)
    return connectInside(engine, record.sidecars.id, supervisorUser, `${places.control}/s`)
  }
  const openGuest = () => connectInside(engine, record.agent.id, agentUser, `${places.guest}/s`)
  return {
    record,
    ...(isGvisor(spec.docker?.runtime) ? { kernel: "gvisor" as const } : {}),
    streamsBreak: true,
    // The engine's init ends with the program that it started.
    endsWithGuest: true,
    connectControl: () => connectTo("sidecars", openControl),
    connectGuest: () => still.start(() => connectTo("agent", openGuest)),
    proveOutside: () => proveOutside(engine, record, spec),
    async alive(): Promise<Alive> {
      const [agent, sidecars] = await Promise.all([isAlive("agent"), isAlive("sidecars")])
      return { agent, sidecars }
    },
    died: () => Promise.race((["agent", "sidecars"] as const).map((role) => untilEnded(engine, record, role))),
    hold: () => asking(record.engine.host, () => still.hold(engine, record.agent.id)),
    letGo: () => asking(record.engine.host, () => still.letGo(engine, record.agent.id)),
    disk: new VolumeMeter(engine, record, spec, (order) => still.start(() => openExec(engine, order))),
    stop: () => asking(record.engine.host, () => endBottle(engine, record)),
  }
}

/** A wait that breaks off says nothing: what the engine says then, or once it is back, decides. */
async function untilEnded<Role extends ContainerRole>(
  engine: Engine,
  record: RunningRecord,
  role: Role,
): Promise<Role> {
  for (let pause: number = engineMilliseconds.first; ; pause = Math.min(pause * 2, engineMilliseconds.longest)) {
    try {
      await waitOnce(engine, record[role].id)
      const info = await lookAt(engine, record[role], record.slug, role)
      if (info?.State.Running !== true) return role
    } catch (error) {
      if (statusOf(error) === 404) return role
    }
    await Bun.sleep(pause)
  }
}

/** The library's own `wait` never settles when the engine dies meanwhile: it knows a complete answer only. */
async function waitOnce(engine: Engine, id: string): Promise<void> {
  const answer = await new Promise<Readable>((resolve, reject) => {
    const statusCodes = { 200: true, 404: "no such container", 500: "server error" }
    const order = { path: `/containers/${id}/wait`, method: "POST", isStream: true, statusCodes }
    engine.modem.dial(order, (error: unknown, stream: unknown) => {
      if (error) reject(error)
      else resolve(stream as Readable)
    })
  })
  await new Promise<void>((resolve) => {
    for (const event of ["end", "close", "error"]) answer.on(event, () => resolve())
    answer.resume()
  })
}

/** Remove both containers and the sockets between them. Home and workspace stay, as the state does. */
export async function endBottle(
  engine: Engine,
  record: Pick<DockerRecord, "slug" | "agent" | "sidecars">,
): Promise<void> {
  const known = [record.agent, record.sidecars].flatMap((mark) => (mark === null ? [] : [mark.id]))
  await removeContainers(engine, record.slug, known)
  await removeVolumes(engine, record.slug, ["net", "config"])
}

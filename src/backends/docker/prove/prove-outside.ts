import type { ContainerInspectInfo } from "dockerode"
import type { LaunchSpec, Probe } from "../../backend.ts"
import { type Engine, unlessMissing } from "../engine.ts"
import { binaryVolumeName } from "../image/binary-volume.ts"
import { isGvisor } from "../names.ts"
import type { RunningRecord } from "../running.ts"
import { judgeAgent, judgeSidecars } from "./judge.ts"
import { viewContainer } from "./local-view.ts"
import { judgeGvisor, judgeProcesses } from "./processes.ts"

/**
 * The fence seen from the host (SECURITY 3): what the engine says of both containers, and where the engine is on this
 * machine, what the kernel says of the agent's processes, which is nobody's word.
 */
export async function proveOutside(engine: Engine, record: RunningRecord, spec: LaunchSpec): Promise<Probe[]> {
  try {
    const [agent, sidecars] = await Promise.all([
      unlessMissing(engine.getContainer(record.agent.id).inspect()),
      unlessMissing(engine.getContainer(record.sidecars.id).inspect()),
    ])
    if (agent === undefined || sidecars === undefined) return [failed("containers", "gone")]
    const imageConfig = (await engine.getImage(record.agent.image).inspect()).Config
    const plan = { record, spec, imageConfig, binaryVolume: binaryVolumeOf(agent) }
    return [
      ...judgeAgent(agent, plan),
      ...judgeSidecars(sidecars, plan),
      ...kernelView(agent, isGvisor(spec.docker?.runtime)),
    ]
  } catch (error) {
    return [failed("look", error instanceof Error ? error.message : String(error))]
  }
}

/** Only its digest is not known to the judge; a volume of another name is no binary's, and not planned. */
function binaryVolumeOf({ HostConfig }: ContainerInspectInfo): string {
  const mounts = HostConfig.Mounts as unknown as { Source?: string }[] | undefined
  const found = mounts?.map(({ Source }) => Source ?? "").find((name) => name.startsWith(binaryVolumeName("")))
  return found !== undefined && /^[0-9a-f]{20}$/.test(found.slice(binaryVolumeName("").length)) ? found : "none"
}

function kernelView({ State, Id }: ContainerInspectInfo, gvisor: boolean): Probe[] {
  const views = viewContainer(State.Pid, Id)
  if (views === undefined) return []
  return gvisor ? judgeGvisor(views) : judgeProcesses(views)
}

const failed = (name: string, detail: string): Probe => ({ side: "outside", name, ok: false, detail })

import type { ContainerInspectInfo } from "dockerode"
import type { LaunchSpec, Probe } from "../../backend.ts"
import { agentMounts, agentSeccomp, agentTmpfs, type ImageConfig } from "../container/agent.ts"
import { sidecarCapabilities, sidecarContainer, sidecarMounts } from "../container/sidecars.ts"
import { insideBin } from "../image/relocate.ts"
import { agentUser, type ContainerRole, containerName, roleLabel, slugLabel, supervisorUser } from "../names.ts"
import type { RunningRecord } from "../running.ts"

/** What was meant to be made. */
export interface ProofPlan {
  record: RunningRecord
  spec: LaunchSpec
  imageConfig: ImageConfig
  binaryVolume: string
}

/** Fields of an answer that the library's types leave out. */
type HostConfig = ContainerInspectInfo["HostConfig"] & { CgroupnsMode?: string }

/** One probe: it holds when nothing is wrong. */
function probe(name: string, good: string, faults: readonly (string | false | undefined)[]): Probe {
  const wrong = faults.filter((fault): fault is string => typeof fault === "string")
  return {
    side: "outside",
    name,
    ok: wrong.length === 0,
    detail: wrong.length === 0 ? good : wrong.slice(0, 5).join(", "),
  }
}

const unless = (holds: boolean, fault: string): string | false => !holds && fault
const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0)
const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** The agent's container against its plan. */
export function judgeAgent(info: ContainerInspectInfo, plan: ProofPlan): Probe[] {
  const { HostConfig: host, Config: config } = info
  const networks = Object.keys(info.NetworkSettings.Networks)
  const tmpfs = agentTmpfs(plan.spec, plan.imageConfig)
  return [
    identity("agent", info, plan),
    probe("network-mode", "none", [
      unless(host.NetworkMode === "none", `mode ${host.NetworkMode}`),
      unless(
        networks.every((name) => name === "none"),
        `joined ${networks.join(" ")}`,
      ),
    ]),
    probe("mounts", "as planned", [
      ...mountFaults(info, agentMounts(plan.spec, plan.binaryVolume)),
      unless(isSame(sorted(host.Tmpfs), sorted(tmpfs)), "other temporary file systems"),
      ...foreignSources(host),
    ]),
    probe("capabilities", "none", [
      unless(isSame(host.CapDrop, ["ALL"]), "not all dropped"),
      unless(isEmpty(host.CapAdd), `added ${host.CapAdd}`),
      unless(host.Privileged === false, "privileged"),
    ]),
    probe("security-options", "no new privileges, our filter", [
      unless(
        isSame([...(host.SecurityOpt ?? [])].sort(), ["no-new-privileges", `seccomp=${agentSeccomp}`].sort()),
        "not as planned",
      ),
    ]),
    probe("user", "not root", [
      unless(config.User === agentUser, `user ${config.User || "root"}`),
      unless(isEmpty(host.GroupAdd), "more groups"),
    ]),
    probe("namespaces", "all its own", namespaceFaults(host)),
    probe("devices", "none", deviceFaults(host)),
    probe("runtime", host.Runtime ?? "the engine's", [
      unless([undefined, host.Runtime].includes(plan.spec.docker?.runtime), `runtime ${host.Runtime}`),
    ]),
    probe("program", "the guest", [
      unless(config.Entrypoint?.toString() === `${insideBin}/bottle` && config.Cmd?.[0] === "guest", "another program"),
    ]),
  ]
}

/** The sidecars' container against its plan. */
export function judgeSidecars(info: ContainerInspectInfo, plan: ProofPlan): Probe[] {
  const { HostConfig: host, Config: config } = info
  const planned = sidecarContainer(plan.spec, plan.record.sidecars.image)
  return [
    identity("sidecars", info, plan),
    probe("sidecars-container", "as planned", [
      unless(host.NetworkMode === "bridge", `network ${host.NetworkMode}`),
      unless(isEmpty(host.PortBindings) && host.PublishAllPorts !== true, "a port is published"),
      unless(host.ReadonlyRootfs === true, "its file system can be written"),
      unless(isSame(host.CapDrop, ["ALL"]), "capabilities not dropped"),
      unless(isSame([...(host.CapAdd ?? [])].sort(), [...sidecarCapabilities].sort()), `capabilities ${host.CapAdd}`),
      unless(host.Privileged === false, "privileged"),
      unless(
        isSame([...(host.SecurityOpt ?? [])].sort(), [...(planned.HostConfig?.SecurityOpt ?? [])].sort()),
        "security options",
      ),
      unless(host.LogConfig?.Type === "none", "its output is kept"),
      unless(config.User === supervisorUser, `user ${config.User}`),
      unless(isSame(config.Cmd, planned.Cmd), "another program"),
      ...mountFaults(info, sidecarMounts(plan.spec)),
      unless(isSame(sorted(host.Tmpfs), sorted(planned.HostConfig?.Tmpfs)), "other temporary file systems"),
      ...foreignSources(host),
      ...namespaceFaults(host),
      ...deviceFaults(host),
    ]),
  ]
}

function identity(role: ContainerRole, info: ContainerInspectInfo, { record, spec }: ProofPlan): Probe {
  const labels = info.Config.Labels
  return probe(`${role}-identity`, "the one that was made", [
    unless(info.State.Running && !info.State.Paused, "does not run"),
    unless(info.Id === record[role].id, "another container"),
    unless(info.Image === record[role].image, "another image"),
    unless(info.Name === `/${containerName(spec.slug, role)}`, `named ${info.Name}`),
    unless(labels[slugLabel] === spec.slug && labels[roleLabel] === role, "other labels"),
  ])
}

interface PlannedMount {
  Source: string
  Target: string
  Type: string
  ReadOnly?: boolean | undefined
}

/** What the engine mounted beside the plan, or differently. */
function mountFaults(info: ContainerInspectInfo, planned: readonly PlannedMount[]): string[] {
  const volumes = info.Mounts.filter((mount) => (mount.Type as string) !== "tmpfs")
  const missing = planned.filter(({ Target }) => !volumes.some(({ Destination }) => Destination === Target))
  const wrong = volumes.filter((mount) => {
    const plan = planned.find(({ Target }) => Target === mount.Destination)
    return mount.Type !== "volume" || mount.Name !== plan?.Source || mount.RW !== (plan?.ReadOnly !== true)
  })
  return [
    ...missing.map(({ Target }) => `${Target} is missing`),
    ...wrong.map(({ Destination }) => `${Destination} was not planned`),
  ]
}

/** Ways to bring something of the host in that are no mounts of ours. */
const foreignSources = (host: HostConfig) => [
  unless(isEmpty(host.Binds), "binds"),
  unless(isEmpty(host.VolumesFrom), "volumes of another container"),
  unless(isEmpty(host.Links), "links"),
  unless(isEmpty(host.Sysctls), "kernel settings"),
]

const namespaceFaults = (host: HostConfig) => [
  unless(isEmpty(host.PidMode), `pid ${host.PidMode}`),
  unless(host.IpcMode === "private", `ipc ${host.IpcMode}`),
  unless(isEmpty(host.UTSMode), `uts ${host.UTSMode}`),
  unless(isEmpty(host.UsernsMode), `users ${host.UsernsMode}`),
]

const deviceFaults = (host: HostConfig) => [
  unless(isEmpty(host.Devices), "devices"),
  unless(isEmpty(host.DeviceRequests), "device requests"),
  unless(isEmpty(host.DeviceCgroupRules), "device rules"),
]

const sorted = (table: Readonly<Record<string, string>> | undefined): [string, string][] =>
  Object.entries(table ?? {}).sort(([one], [other]) => (one < other ? -1 : 1))

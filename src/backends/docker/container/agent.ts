import type { ContainerCreateOptions, MountSettings } from "dockerode"
import { inside } from "../../../../sidecars/guest/protocol.ts"
import { BottleError } from "../../../lib/errors.ts"
import type { LaunchSpec } from "../../backend.ts"
import { toDockerJson } from "../../seccomp/docker.ts"
import { profile } from "../../seccomp/profile.ts"
import { insideBin } from "../image/relocate.ts"
import { agentUser, containerName, labelsFor, places, volumeName } from "../names.ts"

/** What an agent-made image may have to say about its containers (SECURITY 4). */
export interface ImageConfig {
  Env?: readonly string[] | null
  Volumes?: Readonly<Record<string, unknown>> | null
}

export interface AgentOrder {
  spec: LaunchSpec
  /** Ids, never names: what was looked at is what is used. */
  image: string
  imageConfig: ImageConfig
  binaryVolume: string
}

const temporary = "rw,nosuid,nodev,exec,mode=1777,size=4g"
const own = "rw,nosuid,nodev,noexec,mode=0755,uid=1000,gid=1000,size=16m"
const processes = 4096
const sharedMemoryBytes = 1024 ** 3
/** Beside the literal, since the library's types do not know it. */
const cgroupNamespace = { CgroupnsMode: "private" }

export const agentSeccomp: string = JSON.stringify(toDockerJson(profile))

/**
 * The agent's container: no network, no capability, our filter for system calls, nothing of any host, and whatever the
 * image says of users, programs, variables, volumes and health checks overridden.
 */
export function agentContainer({
  spec,
  image,
  imageConfig,
  binaryVolume,
}: AgentOrder): ContainerCreateOptions & { name: string } {
  const { limits } = spec
  return {
    name: containerName(spec.slug, "agent"),
    Image: image,
    Labels: labelsFor(spec.slug, "agent"),
    Hostname: "bottle",
    User: agentUser,
    WorkingDir: "/",
    Env: [...agentEnvironment(spec), ...withoutImages(imageConfig)],
    Entrypoint: [`${insideBin}/bottle`],
    Cmd: guestArguments(spec),
    Healthcheck: { Test: ["NONE"] },
    StopSignal: "SIGKILL",
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: "none",
      // In this mode the engine still writes the host's resolvers and search domains into the container.
      Dns: ["127.0.0.1"],
      DnsSearch: ["."],
      Init: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges", `seccomp=${agentSeccomp}`],
      IpcMode: "private",
      ...cgroupNamespace,
      PidsLimit: limits.pids ?? processes,
      ...(limits.memory === undefined ? {} : { Memory: limits.memory, MemorySwap: limits.memory }),
      ...(limits.cpus === undefined ? {} : { NanoCpus: Math.round(limits.cpus * 1e9) }),
      ...(spec.docker?.runtime === undefined ? {} : { Runtime: spec.docker.runtime }),
      ShmSize: sharedMemoryBytes,
      LogConfig: { Type: "none", Config: {} },
      RestartPolicy: { Name: "no" },
      Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
      Tmpfs: agentTmpfs(spec, imageConfig),
      Mounts: agentMounts(spec, binaryVolume),
    },
  }
}

/** Of our own process only: the agent's environment comes through the guest. */
function agentEnvironment(spec: LaunchSpec): string[] {
  return ["PATH=/usr/local/bin:/usr/bin:/bin", `HOME=${spec.home}`, "LANG=C.UTF-8"]
}

/** A name without a value takes the image's variable out: one could make our own programs load something. */
function withoutImages({ Env }: ImageConfig): string[] {
  const kept = ["PATH", "HOME", "LANG"]
  const names = (Env ?? []).map((entry) => entry.split("=")[0] ?? "")
  return names.filter((name) => name !== "" && !kept.includes(name))
}

function guestArguments(spec: LaunchSpec): string[] {
  return [
    "guest",
    ...["--socket", `${places.guest}/s`],
    ...["--binary-link", `${places.run}/bottle`],
    ...Object.entries(spec.ports).flatMap(([port, name]) => ["--port", `${port}=${places.net}/${name}.sock`]),
  ]
}

/** Temporary places, and one over each volume that the image declares: it would outlive the bottle under no name. */
export function agentTmpfs(spec: LaunchSpec, { Volumes }: ImageConfig): Record<string, string> {
  const declared = Object.keys(Volumes ?? {}).filter((path) => ![spec.home, spec.workspace].includes(path))
  for (const path of declared) refuseVolume(path)
  return {
    ...Object.fromEntries(declared.map((path) => [path, temporary])),
    "/tmp": temporary,
    "/var/tmp": temporary,
    [places.run]: own,
    [places.guest]: own.replace("mode=0755", "mode=0700"),
  }
}

const untouchable = ["/proc", "/sys", "/dev", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", places.run]

function refuseVolume(path: string): void {
  const clean = /^(\/[A-Za-z0-9._-]+)+$/.test(path) && !path.split("/").some((part) => part === "." || part === "..")
  if (clean && !untouchable.some((root) => path === root || path.startsWith(`${root}/`))) return
  throw new BottleError(`the image declares a volume at ${JSON.stringify(path.slice(0, 100))}`, {
    code: "docker-image-volume",
    exit: "badManifest",
    hint: "build it without that VOLUME line",
  })
}

export function agentMounts(spec: LaunchSpec, binaryVolume: string): MountSettings[] {
  const volume = (Source: string, Target: string, ReadOnly: boolean): MountSettings => ({
    ...{ Type: "volume", Source, Target, ReadOnly },
    VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: "", Options: {} } },
  })
  return [
    volume(binaryVolume, insideBin, true),
    volume(volumeName(spec.slug, "net"), places.net, true),
    volume(volumeName(spec.slug, "config"), inside.config, true),
    volume(volumeName(spec.slug, "home"), spec.home, false),
    volume(volumeName(spec.slug, "workspace"), spec.workspace, false),
  ]
}

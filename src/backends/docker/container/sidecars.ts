import type { ContainerCreateOptions, MountSettings } from "dockerode"
import type { LaunchSpec } from "../../backend.ts"
import { toDockerJson } from "../../seccomp/docker.ts"
import { sidecarProfile } from "../../seccomp/profile.ts"
import { insideBin } from "../image/relocate.ts"
import { containerName, labelsFor, places, supervisorUser, type VolumeRole, volumeName } from "../names.ts"

/** The supervisor starts each sidecar as a user of its own and must be able to end it. */
export const sidecarCapabilities = ["SETUID", "SETGID", "KILL"]
const processes = 512
const sidecarSeccomp: string = JSON.stringify(toDockerJson(sidecarProfile))

/**
 * The container of a bottle's sidecars: the one that has a network, on the default bridge, with no port published and
 * none listened on. Its file system is read-only, it is made of our own image, and its output is kept nowhere.
 */
export function sidecarContainer(spec: LaunchSpec, image: string): ContainerCreateOptions & { name: string } {
  return {
    name: containerName(spec.slug, "sidecars"),
    Image: image,
    Labels: labelsFor(spec.slug, "sidecars"),
    Hostname: "sidecars",
    User: supervisorUser,
    WorkingDir: "/",
    Env: ["PATH=/usr/bin:/bin", "HOME=/tmp"],
    Entrypoint: [`${insideBin}/bottle`],
    Cmd: [
      ...["sidecar", "--control", `${places.control}/s`, "--sockets", places.net, "--config", places.config],
      ...["--isolate", "uid", "--join"],
      ...spec.sidecars.flatMap((name) => ["--start", name]),
    ],
    // The supervisor's are the first control stream: of who was joined to them before the start, and of nobody after that.
    ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true },
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: "bridge",
      Init: true,
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      CapAdd: sidecarCapabilities,
      SecurityOpt: ["no-new-privileges", `seccomp=${sidecarSeccomp}`],
      IpcMode: "private",
      PidsLimit: processes,
      LogConfig: { Type: "none", Config: {} },
      RestartPolicy: { Name: "no" },
      Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
      Tmpfs: {
        "/tmp": "rw,nosuid,nodev,noexec,mode=1777,size=64m",
        [places.control]: "rw,nosuid,nodev,noexec,mode=0700,size=1m",
      },
      Mounts: sidecarMounts(spec),
    },
  }
}

/**
 * What this side writes and the agent's only reads: the sockets, and the policy in words. Where there is a limit of the
 * disk to hold, also what is measured from here and not written.
 */
export function sidecarMounts(spec: LaunchSpec): MountSettings[] {
  const volume = (role: VolumeRole, Target: string, ReadOnly: boolean): MountSettings => ({
    ...{ Type: "volume", Source: volumeName(spec.slug, role), Target, ReadOnly },
    VolumeOptions: { NoCopy: true, Labels: labelsFor(spec.slug, role), DriverConfig: { Name: "", Options: {} } },
  })
  const written = [volume("net", places.net, false), volume("config", places.config, false)]
  if (spec.limits.disk === undefined) return written
  return [...written, ...measuredTrees.map((role) => volume(role, `${places.trees}/${role}`, true))]
}

export const measuredTrees = ["home", "workspace"] as const

import type { Duplex, Readable } from "node:stream"
import type { BuiltImage, DockerChoice, ImageOrder, RuntimeTrial, UnusedImage } from "./images.ts"

export type { BuiltImage, Confinement, DockerChoice, ImageOrder, RuntimeTrial, UnusedImage } from "./images.ts"

/**
 * The contract between the life of a bottle (`src/bottle`) and the place where it runs. A backend knows nothing
 * of providers, manifests or policy: it makes two boundaries (sidecars, agent), hands out streams to the first
 * process in each, proves the fence from the outside, and takes everything away again.
 */

export const backendNames = ["namespace", "docker", "smolmachines", "macos-container", "qemu"] as const
export type BackendName = (typeof backendNames)[number]

/** Can this backend run here? `runtimes` are those of its containers; `remedy` is the command or setting that would make it so. */
export type Availability =
  | { usable: true; detail: string; warnings: readonly string[]; runtimes?: readonly string[] }
  | { usable: false; reason: string; remedy: string }

/** A host directory or file shown inside the agent's boundary. */
export interface Mount {
  source: string
  target: string
  readonly: boolean
}

export interface Limits {
  /** Bytes. */
  memory?: number
  cpus?: number
  pids?: number
  /** Bytes written to home and workspace together. */
  disk?: number
  /** Seconds. */
  wall_clock?: number
}

/** Everything a backend needs to make one bottle. Holds no secret and no environment value. */
export interface LaunchSpec {
  slug: string
  /** `state/<slug>`: survives the process. Agent-writable trees live under `fs/` in it. */
  stateDir: string
  /** Short, 0700: sockets and pids. Never visible to the agent as a whole (SECURITY 7). */
  runtimeDir: string
  /** Absolute path of the compiled `bottle` binary to run inside. */
  binary: string
  /** Inside paths. */
  home: string
  workspace: string
  /** Inside user name; uid and gid 1000 inside. */
  user: string
  mounts: readonly Mount[]
  /** Guest ports to sidecar socket names, e.g. `{9099: "egress"}`. */
  ports: Readonly<Record<number, string>>
  /** Names of the sidecars that the supervisor starts. */
  sidecars: readonly string[]
  limits: Limits
  /** What the last launch of this bottle left recorded: where its trees are, for a backend that keeps them elsewhere. */
  earlier?: RuntimeRecord
  /** What only the docker backend understands. */
  docker?: DockerChoice
}

/**
 * What a later process needs to find, adopt or remove this bottle: written to `state/<slug>/runtime.json`
 * before anything is started and after every step. Opaque outside the backend.
 */
export interface RuntimeRecord {
  backend: BackendName
  slug: string
  [key: string]: unknown
}

/** One check of the fence. `inside` is the guest's word, `outside` the host's own look. */
export interface Probe {
  side: "inside" | "outside"
  /** Stable kebab-case name. */
  name: string
  ok: boolean
  /** What was seen, one line. */
  detail: string
}

export interface Alive {
  agent: boolean
  sidecars: boolean
}

/** A launched (or adopted) bottle. */
export interface RunningBottle {
  readonly record: RuntimeRecord
  /** What answers the agent's system calls where it is not this machine's Linux. */
  readonly kernel?: "gvisor"
  /**
   * Its streams go through something that can end while both ends live, such as a relay's process or a network: the end
   * of one says nothing of who is at its other end, and it can be opened again.
   */
  readonly streamsBreak?: true
  /** The agent's boundary ends with its guest: `died` tells of both. Else processes of the agent's can outlive it there. */
  readonly endsWithGuest?: true
  /** Stream to the sidecar supervisor's control socket; one at a time. Rejects when the supervisor is gone. */
  connectControl(): Promise<Duplex>
  /** A new stream to the guest's request socket; many at a time. Rejects when the guest is gone. */
  connectGuest(): Promise<Duplex>
  /** The fence seen from the host (SECURITY 3). Never throws: a check that cannot be made is a failed probe. */
  proveOutside(): Promise<Probe[]>
  alive(): Promise<Alive>
  /** Resolves when the agent's boundary or the sidecars' boundary has ended, with which. */
  died(): Promise<"agent" | "sidecars">
  /** What holds `limits.disk`, for a backend that keeps home and workspace elsewhere; absent: they are in `stateDir`. */
  readonly disk?: DiskMeter
  /** Bytes of the agent's on the file system of `stateDir` that no look at its trees shows: open files without a name. */
  namelessBytes?(): number
  /**
   * Make everything in the agent's boundary stand still, so that its trees are copied as of one moment. Rejects, with
   * all going on again, when something does not. Absent: this backend freezes nothing.
   */
  hold?(): Promise<void>
  /** Let it go on; also what an earlier process held. Idempotent. */
  letGo?(): Promise<void>
  /** End every process of both boundaries and wait until they are gone. Idempotent. Leaves `stateDir`. */
  stop(): Promise<void>
}

/** Looks at what an agent has written, from where the agent has no say. */
export interface DiskMeter {
  /** Bytes free where it writes; cheap. */
  free(): Promise<number>
  /** What it takes. Either rejects only while nobody can look, through no doing of the agent's. */
  measure(): Promise<Measured>
}

export interface Measured {
  /** Bytes found; more than that is there when it is not complete. */
  bytes: number
  complete: boolean
}

export interface SealedRun {
  /** argv inside; argv[0] is an absolute path or found on the sandbox's PATH. */
  argv: readonly string[]
  mounts: readonly Mount[]
  /** Inside working directory. */
  cwd: string
  /** Bytes of stdout kept, or given to `onOutput`; more is an error. */
  maxOutput: number
  /** Milliseconds. */
  timeout: number
  /** Bytes given on stdin. */
  input?: Uint8Array | AsyncIterable<Uint8Array>
  /** Gets stdout piece by piece instead of its being kept, and is waited for; a throw ends the run. */
  onOutput?: (chunk: Uint8Array) => Promise<void>
}

export interface SealedResult {
  exitCode: number
  stdout: Uint8Array
  stderr: string
}

/** One thing of a bottle's that is there. */
export interface Leftover {
  kind: "process" | "group" | "container" | "volume" | "image"
  name: string
}

/** The trees that an agent's work is in. */
export const treeNames = ["home", "workspace"] as const
export type TreeName = (typeof treeNames)[number]

/**
 * Takes a bottle's trees out of where they are and puts them back, as archives (tar; names begin with the tree's). The
 * host opens no path in them. What comes out is the agent's word: whoever stores it checks each member.
 */
export interface Freezer {
  /**
   * Give both trees of a bottle that is held, or at rest. Resolves with a name for what the agent's system holds
   * beside them (an image's id); undefined: there is nothing of it. Changes nothing of what the bottle has.
   */
  freeze(
    spec: LaunchSpec,
    record: RuntimeRecord | undefined,
    take: (tree: TreeName, archive: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<string | undefined>
  /** Make both trees anew from checked archives; what there was of them is dropped. Nothing of the bottle runs. */
  thaw(spec: LaunchSpec, archive: (tree: TreeName) => AsyncIterable<Uint8Array>): Promise<void>
  /** Drop both trees wherever they are, and every kept system but this one. Idempotent. */
  clear(spec: LaunchSpec, system: string | undefined): Promise<void>
}

/** Home and workspace of one bottle where a backend keeps them itself. `inner` is a path below the tree, "" for all of it. */
export interface TreeAccess {
  /** What is there as an archive; its names begin with the last component of the path. Undefined: nothing is there. */
  read(tree: TreeName, inner: string): Promise<Readable | undefined>
  /** Undefined: nothing is there. */
  kind(tree: TreeName, inner: string): Promise<"directory" | "other" | undefined>
  /** Unpack an archive into an existing directory. */
  write(tree: TreeName, inner: string, archive: Readable): Promise<void>
  close(): Promise<void>
}

export interface Backend {
  readonly name: BackendName
  /** With `earlier`, where the bottle of that record is: a docker bottle goes on at its own engine. */
  probe(earlier?: RuntimeRecord): Promise<Availability>
  /**
   * Start both boundaries at the same time. `recorded` is awaited with the record before the first process
   * starts and after each change, so that a crash leaves nothing unfindable.
   */
  launch(spec: LaunchSpec, recorded: (record: RuntimeRecord) => Promise<void>): Promise<RunningBottle>
  /** Take over what a dead keeper left, or say that it is gone. */
  adopt(record: RuntimeRecord, spec: LaunchSpec): Promise<RunningBottle | undefined>
  /** End whatever the record names, without a RunningBottle. Idempotent. */
  remove(record: RuntimeRecord): Promise<void>
  /**
   * Run a program over a tree that an agent or a repository wrote, in a throwaway sandbox without network, home
   * or anything but the named mounts (SECURITY 8, 9). `owner` "agent" runs as the bottle's own agent identity.
   */
  sealed(run: SealedRun, slug: string): Promise<SealedResult>
  /** Make `dir` writable for the agent's identity of this bottle (a no-op where that is the caller). */
  ownTree(dir: string, slug: string): Promise<void>
  /** Remove an agent-written tree without following anything in it. */
  removeTree(dir: string): Promise<void>
  /**
   * Bring home and workspace, as they are now, to `stateDir/fs`, for a backend that keeps them elsewhere while a bottle
   * runs; absent: they are there anyway. What is there is replaced. Rejects, with the old copy in place, when the trees
   * cannot be had: what is on this machine may then be less than there is.
   */
  bringTrees?(record: RuntimeRecord, spec: LaunchSpec): Promise<void>
  /** Absent: bottles of this backend cannot be frozen. */
  readonly freezer?: Freezer
  /**
   * Home and workspace as they are now, of a bottle that runs or is at rest; nothing of the bottle is started or used for
   * it. Absent, or undefined: they are under `stateDir/fs`.
   */
  openTrees?(record: RuntimeRecord): Promise<TreeAccess | undefined>
  /** What there still is of a bottle, without a change to any of it. Absent: it cannot be told. */
  left?(record: RuntimeRecord): Promise<Leftover[]>
  /** What is there of no bottle, left by a command that was killed. Absent: nothing ever is. */
  strays?(): Promise<Leftover[]>
  /** Take those away. */
  endStrays?(): Promise<void>
  /** Remove what the backend keeps of a bottle at rest outside its state directory; absent: nothing. Idempotent. */
  forget?(slug: string, record?: RuntimeRecord): Promise<void>
  /**
   * Make an agent's image, or find the one that was made of the same things; absent: this backend has no images. `say`
   * is given each line of progress, safe to show; `earlier` is the record of a bottle that is resumed. Throws `BottleError`: exit 3 for a Dockerfile that is not taken, 4
   * for a base that is not to be had.
   */
  buildImage?(order: ImageOrder, say: (line: string) => void, earlier?: RuntimeRecord): Promise<BuiltImage>
  /** Images built by `buildImage` that nothing is made of now, none of these records' bottles either. */
  unusedImages?(records: readonly RuntimeRecord[]): Promise<UnusedImage[]>
  /** Remove one of them. Rejects, with it in place, when a container has come to be made of it. */
  removeImage?(name: string): Promise<void>
  /**
   * Find out by starting it whether a stronger runtime that is there works, with this binary; `noteDir` is private.
   * Absent, or undefined: there is none.
   */
  tryRuntime?(binary: string, noteDir: string): Promise<RuntimeTrial | undefined>
  /**
   * Run the binary with these arguments where the sidecars' loopback is, joined to its stdin and stdout; absent: their
   * loopback is this machine's. For the demo's upstream.
   */
  besideSidecars?(record: RuntimeRecord, argv: readonly string[]): Promise<Duplex>
}

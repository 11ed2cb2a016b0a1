/** What is said of images and runtimes: a part of the backends' contract (`backend.ts`). */

/** What only the docker backend understands. */
export interface DockerChoice {
  /** Image of the agent's container, by a name that the engine knows; default: the one the binary makes of itself. */
  image?: string
  /** Runtime of the agent's container, such as `runc`; default: the engine's. */
  runtime?: string
  /** Image that takes the place of what a Dockerfile's `ARG BASE_IMAGE` says. */
  base_image?: string
  /** What the image is built from, where none is named. */
  build?: ImageOrder
}

/** A Dockerfile and what it is built with. Holds no secret. */
export interface ImageOrder {
  /** What it is for, in messages: `claude`. */
  name: string
  /** Where it is from, in messages: a path, or words such as `bottle's own for claude`. */
  origin: string
  /** Its text. */
  dockerfile: string
  /** Build arguments. */
  args: Readonly<Record<string, string>>
  /** Directory of this machine that its COPYs and ADDs are about; sent only where there are any. */
  context?: string
  /** An agent wrote it: SECURITY 24 holds. */
  confined?: Confinement
}

/** Bounds of the build of a Dockerfile that an agent wrote. */
export interface Confinement {
  /** Images that it may start from and copy from. */
  bases: readonly string[]
  /** Whether its RUNs have a network: only where the operator said so. */
  network: boolean
}

export interface BuiltImage {
  /** The engine's id. */
  id: string
  /** What the engine knows it by. */
  name: string
  /** It was there. */
  reused: boolean
}

/** What came of starting a runtime; `fix` is what to do about it. */
export interface RuntimeTrial {
  runtime: string
  ok: boolean
  detail: string
  fix?: string
}

/** An image that was built for bottles, and that no container and no known bottle is made of. */
export interface UnusedImage {
  name: string
  /** In ms since the epoch. */
  madeAt: number
  /** With what it shares with others. */
  bytes: number
}

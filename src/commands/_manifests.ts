import { homedir } from "node:os"
import type { Manifests } from "../manifest/load.ts"
import type { Shell } from "./_shell.ts"

/** The operator's manifests, and the repository's, as this shell sees them. */
export async function openManifests({ env, paths, cwd }: Shell): Promise<Manifests> {
  const { createManifests } = await import("../manifest/load.ts")
  return createManifests({ home: paths.home, userHome: env.HOME || homedir(), cwd })
}

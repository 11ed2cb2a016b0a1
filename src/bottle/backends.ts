import { type Backend, type BackendName, backendNames } from "../backends/backend.ts"
import { BottleError } from "../lib/errors.ts"

/** Backends in this build, best first. */
export const builtBackends: readonly BackendName[] = ["namespace", "docker"]

/** The implementation of a backend, loaded when asked for. Throws `BottleError` (exit 2) for a name unknown or not built. */
export async function backendFor(name: string): Promise<Backend> {
  if (name === "namespace") {
    const { createNamespaceBackend } = await import("../backends/namespace/index.ts")
    return createNamespaceBackend()
  }
  if (name === "docker") {
    const { createDockerBackend } = await import("../backends/docker/index.ts")
    // Trees on this machine are this machine's to handle: what is foreign in them is looked at in a namespace.
    const trees = await backendFor("namespace")
    return createDockerBackend({ arch: process.arch, env: process.env, trees })
  }
  const known = (backendNames as readonly string[]).includes(name)
  throw new BottleError(
    known ? `the ${name} backend is not in this build` : `unknown backend ${JSON.stringify(name)}`,
    {
      code: "backend",
      exit: "usage",
      hint: `backends here: ${builtBackends.join(", ")}`,
    },
  )
}

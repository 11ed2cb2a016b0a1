import { createHash } from "node:crypto"
import type { DockerChoice } from "../backends/backend.ts"
import type { Plan } from "./plan-types.ts"
import type { FrozenSystem } from "./state.ts"

/** Tells apart the Dockerfiles that agents wrote and an operator approved; "" where a plan builds from none of them. */
export function approvedDockerfile({ docker }: Pick<Plan, "docker">): string {
  const build = docker?.build
  return build?.confined === undefined ? "" : createHash("sha256").update(build.dockerfile).digest("hex")
}

/**
 * What the agent's container is made of: a frozen system takes the place of what the plan begins from, as long as the
 * approved Dockerfile is the one that it was made on. One that was approved since, or undone, is a newer decision.
 */
export function withFrozenSystem(
  plan: Pick<Plan, "docker">,
  system: FrozenSystem | undefined,
): DockerChoice | undefined {
  if (system === undefined || system.on !== approvedDockerfile(plan)) return plan.docker
  const { build: _replaced, ...choice } = plan.docker ?? {}
  return { ...choice, image: system.name }
}

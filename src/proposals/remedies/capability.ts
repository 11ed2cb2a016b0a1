import type { Remedy, RemedyContext } from "./remedy.ts"

export interface ImageContext extends Pick<RemedyContext, "scope"> {
  /** The Dockerfile that the image is made from today. */
  live: string
  /** The operator chose that its RUNs have a network. */
  network: boolean
}

/** Another Dockerfile for this bottle's image, from its next launch on (SECURITY 24). */
export function capabilityRemedy(dockerfile: string, { scope, live, network }: ImageContext): Remedy {
  if (scope.kind !== "session") {
    return {
      kind: "refused",
      why: "a Dockerfile has no scope: it holds for this bottle until it is undone",
      hint: "leave --once, --for and --save out",
    }
  }
  if (dockerfile === live && !network) return { kind: "change", final: dockerfile }
  return { kind: "change", image: { dockerfile, network }, final: dockerfile }
}

import { dirname, join } from "node:path"
import type { ImageOrder } from "../backends/backend.ts"
import { BottleError } from "../lib/errors.ts"
import type { Paths } from "../lib/paths.ts"
import { openManifest } from "../manifest/source/open-manifest.ts"
import type { ResolvedBottle } from "../manifest/types.ts"
import { basesOf } from "../policy/dockerfile/check.ts"
import { parseDockerfile } from "../policy/dockerfile/parse.ts"
import type { ParsedDockerfile } from "../policy/dockerfile/types.ts"
import { approvedImage } from "./approved-image.ts"

/** The name by which a Dockerfile lets its base be chosen. */
export const baseArgument = "BASE_IMAGE"

/** Whose image is wanted. */
export interface ImageWish {
  /** `agent_provider.template`. */
  template: string
  /** The provider's own Dockerfile, where it has one. */
  own: string | undefined
  bottle: Pick<ResolvedBottle, "docker" | "provider" | "names">
}

/**
 * What the agent's image is built from, by what is there first: `state/<slug>/Dockerfile` of a bottle that is resumed
 * (an agent wrote it, an operator approved it), `docker.image` (nothing is built: undefined), `agent_provider.dockerfile`,
 * `contrib/<provider>/Dockerfile`, the provider's own. Undefined as well when there is none. Throws `BottleError`
 * (exit 3) for one that is not taken, with its line.
 */
export async function imageOrderFor(
  wish: ImageWish,
  paths: Pick<Paths, "contrib" | "state">,
  resumed?: string,
): Promise<ImageOrder | undefined> {
  const usual = await usualOrder(wish, paths)
  const changed = resumed === undefined ? undefined : await readText(join(paths.state(resumed), "Dockerfile"))
  if (changed === undefined) return usual
  const { image } = wish.bottle.docker
  const bases = usual === undefined ? (image === undefined ? [] : [image]) : basesOf(checked(usual))
  const origin = `state/${resumed}/Dockerfile`
  const network = approvedImage(paths.state(resumed ?? ""))?.network === true
  const args = usual?.args ?? {}
  return withParse({ name: wish.template, origin, dockerfile: changed, args, confined: { bases, network } })
}

async function usualOrder(wish: ImageWish, paths: Pick<Paths, "contrib">): Promise<ImageOrder | undefined> {
  const { docker, provider, names } = wish.bottle
  if (docker.image !== undefined) {
    if (provider.dockerfile === undefined && docker.base_image === undefined) return undefined
    const other = provider.dockerfile === undefined ? "docker.base_image" : "agent_provider.dockerfile"
    throw new BottleError(`bottle ${names.join(", ")} names both docker.image and ${other}`, {
      code: "two-images",
      exit: "badManifest",
      hint: "one of them: an image that is there, or what one is built from",
    })
  }
  const found = await findDockerfile(wish, paths)
  if (found === undefined) return undefined
  const base = docker.base_image
  const order = { name: wish.template, ...found, args: base === undefined ? {} : { [baseArgument]: base } }
  if (base !== undefined) requireArgument(order)
  return withParse(order)
}

async function findDockerfile(
  { template, own, bottle: { provider } }: ImageWish,
  { contrib }: Pick<Paths, "contrib">,
): Promise<Pick<ImageOrder, "origin" | "dockerfile" | "context"> | undefined> {
  const named = provider.dockerfile
  if (named !== undefined) {
    const dockerfile = await readText(named)
    if (dockerfile !== undefined) return { origin: named, dockerfile, context: dirname(named) }
    throw new BottleError(`agent_provider.dockerfile: there is no ${named}`, {
      code: "dockerfile",
      exit: "badManifest",
    })
  }
  const beside = join(contrib, template, "Dockerfile")
  const dockerfile = await readText(beside)
  if (dockerfile !== undefined) {
    return { origin: `contrib/${template}/Dockerfile`, dockerfile, context: dirname(beside) }
  }
  return own === undefined ? undefined : { origin: `bottle's own Dockerfile for ${template}`, dockerfile: own }
}

function requireArgument({ dockerfile, origin, args }: ImageOrder): void {
  if (new RegExp(`^[ \\t]*ARG[ \\t]+${baseArgument}\\b`, "im").test(dockerfile)) return
  throw new BottleError(`${origin} has no ARG ${baseArgument}, so ${args[baseArgument]} cannot be its base`, {
    code: "dockerfile",
    exit: "badManifest",
    hint: `begin it with: ARG ${baseArgument}=NAME, then FROM \${${baseArgument}}`,
  })
}

/** The order itself, once its Dockerfile is known to be one that is taken: a plan says so before it is confirmed. */
function withParse(order: ImageOrder): ImageOrder {
  checked(order)
  return order
}

function checked({ dockerfile, args, origin }: ImageOrder): ParsedDockerfile {
  const parsed = parseDockerfile(dockerfile, args)
  if (parsed.kind === "ok") return parsed
  throw new BottleError(`${origin}:${parsed.line}: ${parsed.message}`, { code: "dockerfile", exit: "badManifest" })
}

async function readText(path: string): Promise<string | undefined> {
  const opened = await openManifest(path, { followLinks: true })
  if (opened.kind === "missing") return undefined
  const why =
    opened.kind === "bad"
      ? opened.problem.message
      : opened.content.writableByAll
        ? "anybody on this machine may write it: chmod o-w"
        : undefined
  if (why !== undefined) throw new BottleError(`${path}: ${why}`, { code: "dockerfile", exit: "badManifest" })
  return opened.kind === "text" ? opened.content.text : undefined
}

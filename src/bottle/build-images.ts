import type { Backend, ImageOrder } from "../backends/backend.ts"
import { BottleError } from "../lib/errors.ts"
import { nearest } from "../lib/nearest.ts"
import type { Paths } from "../lib/paths.ts"
import type { Manifests } from "../manifest/load.ts"
import { providerFor, providerNames } from "../providers/index.ts"
import { backendFor } from "./backends.ts"
import { type ImageWish, imageOrderFor } from "./image-order.ts"

export interface BuildWish {
  /** Bottle files or providers; none: every bottle file. */
  names: readonly string[] | undefined
  /** Image to build on. */
  base: string | undefined
}

export interface BuildDeps {
  paths: Paths
  manifests: Manifests
  /** Takes a line of progress, safe to show. */
  say(line: string): void
}

/** An image that is there now. */
export interface ReadyImage {
  /** The names that it was asked for by. */
  for: readonly string[]
  image: string
  id: string
  /** Nothing had to be done. */
  reused: boolean
  /** Where its Dockerfile is from. */
  dockerfile: string
}

/**
 * Build the images of bottles and providers, as a start would on the docker backend, each once. A name is a bottle
 * file's before it is a provider's. Throws `BottleError`: exit 3 for a Dockerfile that is not taken, 4 where there is
 * no engine or no base, 5 for an unknown name.
 */
export async function buildImages(wish: BuildWish, deps: BuildDeps): Promise<ReadyImage[]> {
  const orders = await collectOrders(wish, deps)
  const backend = await dockerBackend()
  const images: ReadyImage[] = []
  for (const { order, names } of orders) {
    const built = await backend.buildImage(order, deps.say)
    images.push({ for: names, image: built.name, id: built.id, reused: built.reused, dockerfile: order.origin })
  }
  return images
}

interface NamedOrder {
  names: string[]
  order: ImageOrder
}

async function collectOrders({ names = [], base }: BuildWish, deps: BuildDeps): Promise<NamedOrder[]> {
  const bottles = (await deps.manifests.listBottles()).map(({ name }) => name)
  const chosen = names.length > 0 ? [...new Set(names)] : bottles
  const orders = new Map<string, NamedOrder>()
  for (const name of chosen) {
    const wish = bottles.includes(name) ? await wishOfBottle(name, deps) : await wishOfProvider(name, bottles, deps)
    const own = (await providerFor(wish.template, deps.paths.contrib)).dockerfile
    const { docker } = wish.bottle
    const bottle = base === undefined ? wish.bottle : { ...wish.bottle, docker: { ...docker, base_image: base } }
    const order = await imageOrderFor({ ...wish, bottle, own }, deps.paths)
    if (order === undefined) {
      if (names.length > 0)
        deps.say(`${name}: nothing to build; it runs in ${docker.image ?? "an image that it must name"}`)
      continue
    }
    const key = JSON.stringify([order.dockerfile, order.args, order.context])
    const same = orders.get(key)
    if (same === undefined) orders.set(key, { names: [name], order })
    else same.names.push(name)
  }
  if (chosen.length > 0) return [...orders.values()]
  throw new BottleError("there is no bottle file to build an image for", {
    code: "nothing-to-build",
    exit: "notFound",
    hint: `bottle init writes one; a provider's image: bottle build ${providerNames[0]}`,
  })
}

async function wishOfBottle(name: string, { manifests }: BuildDeps): Promise<Omit<ImageWish, "own">> {
  const bottle = await manifests.loadBottles([name])
  return { template: bottle.provider.template, bottle }
}

/** A provider as a bottle that says nothing else would have it. */
async function wishOfProvider(
  name: string,
  bottles: readonly string[],
  { paths }: BuildDeps,
): Promise<Omit<ImageWish, "own">> {
  await providerFor(name, paths.contrib).catch((error: unknown) => {
    throw error instanceof BottleError && error.code === "unknown-provider" ? unknown(name, bottles) : error
  })
  return { template: name, bottle: { names: [name], docker: {}, provider: { template: name, settings: {} } } }
}

function unknown(name: string, bottles: readonly string[]): BottleError {
  const near = nearest(name, [...bottles, ...providerNames])
  return new BottleError(`nothing is called ${name}`, {
    code: "unknown-name",
    exit: "notFound",
    hint: near === undefined ? "bottle list bottles shows the bottle files" : `did you mean ${near}?`,
  })
}

async function dockerBackend(): Promise<Backend & Required<Pick<Backend, "buildImage">>> {
  const backend = await backendFor("docker")
  const look = await backend.probe()
  if (!look.usable) {
    throw new BottleError(`images are built by the docker backend: ${look.reason}`, {
      code: "no-backend",
      exit: "missingPart",
      hint: look.remedy,
    })
  }
  const { buildImage } = backend
  if (buildImage === undefined) throw new Error("the docker backend builds no images")
  return { ...backend, buildImage }
}

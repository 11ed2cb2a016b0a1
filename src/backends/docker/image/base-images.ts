import type { Readable } from "node:stream"
import { BottleError } from "../../../lib/errors.ts"
import type { ParsedDockerfile } from "../../../policy/dockerfile/types.ts"
import type { ImageOrder } from "../../backend.ts"
import { type Engine, engineSaid, unlessMissing } from "../engine.ts"
import { readProgress } from "./progress.ts"

/** Takes a line of progress. */
export type SayLine = (line: string) => void

export type Bases =
  /** The engine's id of each image that the Dockerfile names. */
  | { kind: "bases"; ids: ReadonlyMap<string, string> }
  /** A base is not there, and an image that was built ahead is. */
  | { kind: "ahead"; image: { id: string; name: string } }

/**
 * Look up every image that a Dockerfile names, and pull what is not there, without credentials. For one that an agent
 * wrote nothing is pulled. Throws `BottleError` (exit 4) that names what is missing and how it is had.
 */
export async function findBases(
  engine: Engine,
  parsed: ParsedDockerfile,
  order: ImageOrder,
  say: SayLine,
  ahead: () => Promise<{ id: string; name: string } | undefined>,
): Promise<Bases> {
  const ids = new Map<string, string>()
  for (const reference of namesIn(parsed)) {
    const known = await imageIdOf(engine, reference)
    if (known !== undefined) {
      ids.set(reference, known)
      continue
    }
    const isChosen = order.confined !== undefined || order.args.BASE_IMAGE !== undefined
    const image = isChosen ? undefined : await ahead()
    if (image !== undefined) return { kind: "ahead", image }
    if (order.confined !== undefined) throw notThere(order, reference, "an agent's Dockerfile pulls nothing")
    ids.set(reference, await pull(engine, reference, order, say))
  }
  return { kind: "bases", ids }
}

export async function imageIdOf(engine: Engine, name: string): Promise<string | undefined> {
  return (await unlessMissing(engine.getImage(name).inspect()))?.Id
}

function namesIn({ stages, copies }: ParsedDockerfile): Set<string> {
  const sources = [...stages.map(({ base }) => base), ...copies.map(({ source }) => source)]
  return new Set(sources.flatMap((source) => (source.kind === "image" ? [source.reference] : [])))
}

async function pull(engine: Engine, reference: string, order: ImageOrder, say: SayLine): Promise<string> {
  say(`pulling ${reference}`)
  try {
    await readProgress((await engine.pull(withTag(reference))) as Readable, () => undefined)
  } catch (error) {
    throw notThere(
      order,
      reference,
      `it could not be pulled: ${engineSaid(error)
        .replace(/^\(HTTP code \d+\) [a-z ]+ - /, "")
        .trim()}`,
      error,
    )
  }
  const id = await imageIdOf(engine, reference)
  if (id === undefined) throw notThere(order, reference, "the pull brought another")
  return id
}

/** Without a tag an engine would pull all there are. */
function withTag(reference: string): string {
  return /[:@][^/]*$/.test(reference) ? reference : `${reference}:latest`
}

function notThere(order: ImageOrder, reference: string, why: string, cause?: unknown): BottleError {
  const other = /^\s*ARG\s+BASE_IMAGE\b/im.test(order.dockerfile)
    ? `, or choose one that it has: docker: {base_image: IMAGE} in the bottle, bottle build ${order.name} --base-image IMAGE`
    : ""
  return new BottleError(`the engine has no image ${reference}, the base of ${order.origin}: ${why}`, {
    code: "docker-base-image",
    exit: "missingPart",
    hint: `bring it there (docker pull, docker load)${other}`,
    cause,
  })
}

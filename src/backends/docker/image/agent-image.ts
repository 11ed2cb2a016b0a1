import { createHash } from "node:crypto"
import { BottleError } from "../../../lib/errors.ts"
import { checkDockerfile, pinBases } from "../../../policy/dockerfile/check.ts"
import { parseDockerfile } from "../../../policy/dockerfile/parse.ts"
import type { ParsedDockerfile } from "../../../policy/dockerfile/types.ts"
import type { BuiltImage, ImageOrder } from "../../backend.ts"
import type { Engine } from "../engine.ts"
import { findBases, imageIdOf, type SayLine } from "./base-images.ts"
import { runBuild } from "./build.ts"
import { digestContext } from "./context.ts"
import { agentRepository } from "./unused-images.ts"

/** Changed when images are built otherwise than by what is hashed. */
const layout = "1"

/**
 * The image of a Dockerfile: found by the hash of its text, its arguments, the ids of its bases and its context, or
 * built. Only names lead to it, which no image can give itself, never labels (SECURITY 4). An image that was built
 * ahead on another base is used where nobody asks for a base and the Dockerfile's own is not there.
 */
export async function ensureAgentImage(engine: Engine, order: ImageOrder, say: SayLine): Promise<BuiltImage> {
  const parsed = readOrder(order)
  const text = shortHash(order.dockerfile)
  const bases = await findBases(engine, parsed, order, say, () => newestOf(engine, text))
  if (bases.kind === "ahead") return { ...bases.image, reused: true }
  const context = contextOf(order, parsed)
  const parts = [layout, order.dockerfile, sorted(order.args), [...bases.ids].sort(), digestContext(context)]
  // A RUN that got by without a network made another image than it makes with one.
  const digest = shortHash(...parts, ...(order.confined?.network === true ? ["network"] : []))
  const name = `${agentRepository}:${text}-${digest}`
  const known = await imageIdOf(engine, name)
  if (known !== undefined) return { id: known, name, reused: true }
  say(`building the image of ${order.name} from ${order.origin}`)
  const pinned = pinBases(order.dockerfile, parsed, (reference) => bases.ids.get(reference) ?? missing(reference))
  await runBuild(engine, { order, dockerfile: pinned, context, name }, say)
  const made = await imageIdOf(engine, name)
  if (made === undefined) throw new Error(`the engine built ${name} and does not have it`)
  return { id: made, name, reused: false }
}

/** The Dockerfile as it is read; throws `BottleError` (exit 3) with its line for one that is not taken. */
function readOrder(order: ImageOrder): ParsedDockerfile {
  const parsed = parseDockerfile(order.dockerfile, order.args)
  if (parsed.kind === "bad") throw badDockerfile(order, parsed.line, parsed.message)
  if (order.confined === undefined) {
    const fetched = parsed.copies.find(({ source }) => source.kind === "context")
    if (fetched !== undefined && order.context === undefined) {
      throw badDockerfile(order, fetched.line, `${fetched.name} takes a file, and it has no folder of its own`)
    }
    return parsed
  }
  const checked = checkDockerfile(parsed, order.confined.bases)
  if (checked.kind === "bad") throw badDockerfile(order, checked.line, checked.message)
  return parsed
}

function contextOf({ context, confined }: ImageOrder, { copies }: ParsedDockerfile): string | undefined {
  return confined === undefined && copies.some(({ source }) => source.kind === "context") ? context : undefined
}

/** The last image that was built of this text, on whatever base. */
async function newestOf(engine: Engine, text: string): Promise<{ id: string; name: string } | undefined> {
  const images = await engine.listImages({ filters: { reference: [`${agentRepository}:${text}-*`] } })
  const [newest] = images.sort((one, other) => other.Created - one.Created)
  const name = newest?.RepoTags?.find((tag) => tag.startsWith(`${agentRepository}:${text}-`))
  return newest === undefined || name === undefined ? undefined : { id: newest.Id, name }
}

function badDockerfile({ origin }: ImageOrder, line: number, message: string): BottleError {
  return new BottleError(`${origin}:${line}: ${message}`, {
    code: "dockerfile",
    exit: "badManifest",
    hint: "write it plainly: one FROM a stage, no parser directives, no here-documents, no flags of RUN",
  })
}

function shortHash(...parts: unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16)
}

const sorted = (args: Readonly<Record<string, string>>) => Object.entries(args).sort()

function missing(reference: string): never {
  throw new Error(`no id for ${reference}`)
}

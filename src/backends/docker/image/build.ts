import { Readable } from "node:stream"
import { BottleError } from "../../../lib/errors.ts"
import type { ImageOrder } from "../../backend.ts"
import { type Engine, engineSaid } from "../engine.ts"
import { roleLabel, slugLabel } from "../names.ts"
import type { SayLine } from "./base-images.ts"
import { dockerfileName, packContext } from "./context.ts"
import { readProgress } from "./progress.ts"

export interface BuildJob {
  order: ImageOrder
  /** The text with ids in place of names. */
  dockerfile: string
  context: string | undefined
  /** What the image is called when it is done. */
  name: string
}

/**
 * One build by the engine's own (classic) builder: the other one would want a session, and reads files by rules of its
 * own. Nothing is pulled, no credentials are sent, our labels are set last; for a Dockerfile that an agent wrote there
 * is no network, and no earlier step of another build is taken over (SECURITY 24).
 */
export async function runBuild(engine: Engine, { order, dockerfile, context, name }: BuildJob, say: SayLine) {
  const { confined } = order
  const options = {
    t: name,
    dockerfile: dockerfileName,
    buildargs: { ...order.args },
    // Set last, so that no line of the Dockerfile says of the image what is ours to say.
    labels: { [roleLabel]: "agent-image", [slugLabel]: "" },
    pull: false,
    rm: true,
    forcerm: true,
    ...(confined === undefined ? {} : { nocache: true }),
    ...(confined !== undefined && !confined.network ? { networkmode: "none" } : {}),
  }
  let step = ""
  let words = ""
  try {
    const archive = Readable.from(packContext(context, dockerfile))
    // The library's types know neither this order of arguments' values nor `forcerm` as they are sent.
    const told = (await engine.buildImage(
      archive,
      options as unknown as Parameters<Engine["buildImage"]>[1],
    )) as Readable
    await readProgress(told, (line) => {
      const begun = /^Step (\d+\/\d+) : (\w+)/.exec(line)
      if (begun !== null) step = ` at step ${begun[1]} (${begun[2]})`
      else if (!/^ ?--->|^Removing intermediate|^npm error A complete log|^npm notice/.test(line)) words = line
      say(line)
    })
  } catch (error) {
    const code = /returned a non-zero code: (\d+)$/.exec((error as Error).message)?.[1]
    const why = code === undefined ? engineSaid(error) : `its command ended with ${code}: ${words || "without a word"}`
    throw new BottleError(`the image of ${order.name} could not be built${step}: ${why}`, {
      code: "docker-build",
      exit: "failed",
      hint: `the whole build: bottle build ${order.name}; its Dockerfile: ${order.origin}`,
      cause: error,
    })
  }
}

import { realDisk, replaceFile } from "../../../../lib/disk.ts"
import { BottleError } from "../../../../lib/errors.ts"
import { approvedImage, type ImageChange, imageChanges, imageRecord } from "../../../approved-image.ts"
import type { EndDeps } from "../../ending/end.ts"
import { BottleImage } from "./bottle-image.ts"
import { revertFact } from "./undo-image.ts"

type PutBackDeps = Pick<EndDeps, "plan" | "state" | "audit">

/** What is wrong with the Dockerfile itself, and will be the next time. */
const hopeless = new Set(["docker-build", "dockerfile"])

/**
 * An approved Dockerfile that could not be built even once is given up for what stood there before, so that the bottle
 * can be resumed as it was. Returns the error to be told. Whatever is cut short here is done again by the next launch.
 */
export async function putBackImage({ plan, state, audit }: PutBackDeps, error: unknown): Promise<unknown> {
  const change = approvedImage(state.path)
  if (!(error instanceof BottleError) || change === undefined) return error
  const { slug } = plan
  const undo = `bottle undo ${change.seq} ${slug}`
  if (change.built === true || !hopeless.has(error.code)) {
    return told(error, error.message, `${error.hint ?? ""}; to go on with the image of before: ${undo}`)
  }
  const image = new BottleImage(plan, state.path, realDisk)
  const now = image.live()
  const step = image.revert(change)
  if (step === undefined) return error
  await image.apply(step)
  await audit.append(revertFact("put-back", change, now, { why: error.message.slice(0, 1000) }))
  await image.finish(step, change.id, change.seq)
  const { own } = change.before
  const what = own ? "the Dockerfile of before is put back" : "the Dockerfile is removed, as there was none before"
  return told(error, `${error.message}; ${what}`, `bottle resume ${slug} goes on with the image of before`)
}

/** It was built: from now on a build that fails is the machine's fault. */
export async function keepBuilt(stateDir: string): Promise<void> {
  const change = approvedImage(stateDir)
  if (change === undefined || change.built === true) return
  const changes = imageChanges(stateDir).map(
    (one): ImageChange => (one.id === change.id ? { ...one, built: true } : one),
  )
  await replaceFile(realDisk, imageRecord(stateDir), `${JSON.stringify({ schemaVersion: 1, changes }, null, 2)}\n`)
}

function told(error: BottleError, message: string, hint: string): BottleError {
  return new BottleError(message, { code: error.code, exit: "failed", hint: hint.replace(/^; /, ""), cause: error })
}

import type { BackendName, RuntimeRecord } from "../backends/backend.ts"
import { BottleError } from "../lib/errors.ts"
import { backendFor, builtBackends } from "./backends.ts"

export interface ChosenBackend {
  name: BackendName
  /** Runtime and version. */
  runtime: string
  /** The same, and why this one. */
  detail: string
  /** What of `limits` and the like this machine cannot enforce. */
  unenforced: readonly string[]
  /** Of its containers; undefined: it has none. */
  runtimes: readonly string[] | undefined
}

/**
 * The named backend, or the best that can run here; for a bottle that goes on, where `earlier` says it is. Throws `BottleError` (exit 4) with
 * the reason and the remedy.
 */
export async function chooseBackend(named: BackendName | undefined, earlier?: RuntimeRecord): Promise<ChosenBackend> {
  const refused: string[] = []
  let remedy = ""
  for (const name of named === undefined ? builtBackends : [named]) {
    const look = await (await backendFor(name)).probe(earlier)
    if (look.usable) {
      const why = named === undefined ? "best available" : "as asked"
      return {
        name,
        runtime: look.detail,
        detail: `${look.detail} (${why})`,
        unenforced: look.warnings,
        runtimes: look.runtimes,
      }
    }
    refused.push(`${name}: ${look.reason}`)
    remedy ||= look.remedy
  }
  throw new BottleError(`no backend can run here: ${refused.join("; ")}`, {
    code: "no-backend",
    exit: "missingPart",
    hint: remedy,
  })
}

/** Every backend that can run here, best first. Never rejects. */
export async function usableBackends(): Promise<BackendName[]> {
  const looks = await Promise.all(
    builtBackends.map(async (name) => (await backendFor(name)).probe().catch(() => ({ usable: false }))),
  )
  return builtBackends.filter((_, index) => looks[index]?.usable === true)
}

import type { BackendName } from "../backends/backend.ts"
import { findUnbuilt } from "./features.ts"
import { freezeDeep } from "./freeze.ts"
import { diagnose, manifestError, type Problem, pathText } from "./source/diagnose.ts"
import { openManifest } from "./source/open-manifest.ts"
import type { UnbuiltKey } from "./types.ts"

/** `settings.yml` (BEHAVIOUR 5). Absent keys were not written. */
export interface Settings {
  readonly backend?: BackendName
  /** Where a name's value comes from when the caller's environment lacks it. Never a value. */
  readonly secrets?: Readonly<Record<string, { command: readonly string[] } | { keyring: string }>>
  /** Seconds. */
  readonly retention?: { logs?: number }
  readonly notify?: { command?: readonly string[] }
  readonly unbuilt: readonly UnbuiltKey[]
}

/**
 * Read `settings.yml` at `path`. A missing file is empty settings; a broken one throws `BottleError` (exit 3) with a
 * line for each thing that is wrong.
 */
export async function loadSettings(path: string): Promise<Settings> {
  const display = "settings.yml"
  const refuse = (problems: readonly Problem[]) => manifestError(diagnose(display, problems))
  const opened = await openManifest(path, { followLinks: true })
  if (opened.kind === "missing") return freezeDeep({ unbuilt: [] })
  if (opened.kind === "bad") throw refuse([opened.problem])

  const [{ readDocument }, { checkDocument }, { settingsSchema }] = await Promise.all([
    import("./source/document.ts"),
    import("./schema/check.ts"),
    import("./schema/settings.ts"),
  ])
  const document = readDocument(opened.content.text, { firstLine: 1 })
  const checked = checkDocument(document, settingsSchema)
  if (checked.kind === "bad") throw refuse(checked.problems)
  const unbuilt = findUnbuilt("settings", document.data).map((key) => {
    const { line, col } = document.at(key, "key")
    return { key: pathText(key), position: `${display}:${line}:${col}` }
  })
  return freezeDeep({ ...checked.value, unbuilt })
}

import { join } from "node:path"
import { diagnose, manifestError, type Problem } from "../../manifest/source/diagnose.ts"
import { openManifest } from "../../manifest/source/open-manifest.ts"
import type { Provider } from "../provider.ts"
import { prepareContrib } from "./prepare.ts"

/**
 * The operator's own provider from `<contrib>/<template>/provider.yaml`, or undefined when there is no such file.
 * Throws `BottleError` (exit 3) with a line, file and position for each thing that is wrong.
 */
export async function loadContrib(contrib: string, template: string): Promise<Provider | undefined> {
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(template)) return undefined
  const display = `contrib/${template}/provider.yaml`
  const refuse = (problems: readonly Problem[]) => manifestError(diagnose(display, problems))
  const opened = await openManifest(join(contrib, template, "provider.yaml"), { followLinks: true })
  if (opened.kind === "missing") return undefined
  if (opened.kind === "bad") throw refuse([opened.problem])
  if (opened.content.writableByAll) {
    throw refuse([{ place: { line: 1, col: 1 }, path: "", message: "anybody on this machine may write it: chmod o-w" }])
  }
  const [{ readDocument }, { checkDocument }, { contribSchema }] = await Promise.all([
    import("../../manifest/source/document.ts"),
    import("../../manifest/schema/check.ts"),
    import("./schema.ts"),
  ])
  const document = readDocument(opened.content.text, { firstLine: 1, textUnder: ["env"] })
  const checked = checkDocument(document, contribSchema)
  if (checked.kind === "bad") throw refuse(checked.problems)
  const description = checked.value
  return {
    template,
    ...(description.skills === undefined ? {} : { skills: description.skills }),
    prepare: async (want, host) => prepareContrib(template, description, want, host),
  }
}

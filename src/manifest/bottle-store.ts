import { join } from "node:path"
import type { BottleStore, StoredBottle } from "./resolve/fold.ts"
import type { ParentName } from "./resolve/layer.ts"
import { tilde } from "./resolve/place-names.ts"
import { diagnose, type Problem } from "./source/diagnose.ts"
import { splitFrontmatter } from "./source/frontmatter.ts"
import { listFolder } from "./source/list-folder.ts"
import { openManifest } from "./source/open-manifest.ts"
import type { BindHost } from "./values/bind.ts"

interface StorePlaces {
  home: string
  userHome: string
  bindHost?: BindHost
}

/** The operator's bottle files, each read once for the life of the store. */
export function createBottleStore(places: StorePlaces): BottleStore & { displayOf(name: string): string } {
  const files = new Map<string, Promise<StoredBottle>>()
  const folder = join(places.home, "bottles")
  return {
    displayOf,
    async names() {
      return (await listFolder(folder, { followLinks: true })).names
    },
    read(name) {
      const known = files.get(name)
      if (known !== undefined) return known
      const reading = readBottle(join(folder, `${name}.md`), displayOf(name), places)
      files.set(name, reading)
      return reading
    },
  }
}

function displayOf(name: string): string {
  return `bottles/${name}.md`
}

async function readBottle(path: string, display: string, places: StorePlaces): Promise<StoredBottle> {
  const bad = (problems: readonly Problem[], parents: readonly ParentName[] = []): StoredBottle => ({
    kind: "bad",
    parents,
    display,
    diagnostics: diagnose(display, problems),
  })
  const opened = await openManifest(path, { followLinks: true })
  if (opened.kind === "missing") return opened
  if (opened.kind === "bad") return bad([opened.problem])
  const { text, sha256, writableByAll } = opened.content
  const split = splitFrontmatter(text)
  if ("message" in split) return bad([split])

  const [{ readDocument }, { readLayer }, { realBindHost }] = await Promise.all([
    import("./source/document.ts"),
    import("./resolve/layer.ts"),
    import("./values/bind-host.ts"),
  ])
  const document = readDocument(split.yaml, { firstLine: split.yamlLine, textUnder: ["env"] })
  const { userHome, home, bindHost } = places
  const result = readLayer(document, { path, display, userHome, bottleHome: home, host: bindHost ?? realBindHost })
  if (result.kind === "bad") return bad(result.problems, result.parents)
  const open = writableByAll
    ? [`${display} can be written by everyone on this machine: chmod o-w ${tilde(path, userHome)}`]
    : []
  return {
    kind: "ok",
    layer: result.layer,
    parents: result.parents,
    display,
    origin: { path, display: tilde(path, userHome), scope: "home", sha256 },
    warnings: [...open, ...result.warnings],
  }
}

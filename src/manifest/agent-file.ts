import { join } from "node:path"
import { findUnbuilt } from "./features.ts"
import { tilde } from "./resolve/place-names.ts"
import { type Diagnostic, diagnose, type Problem, pathText } from "./source/diagnose.ts"
import { splitFrontmatter } from "./source/frontmatter.ts"
import { type FolderRules, folderKind } from "./source/list-folder.ts"
import { openManifest } from "./source/open-manifest.ts"
import type { AgentManifest, Origin } from "./types.ts"

/** Where agent files are. */
export interface AgentFolder extends FolderRules {
  path: string
  scope: Origin["scope"]
  display: string
  /** How a file of it is shown in diagnostics. */
  displayOf(name: string): string
}

export type AgentRead =
  | { kind: "ok"; agent: AgentManifest }
  | { kind: "bad"; diagnostics: readonly Diagnostic[] }
  | { kind: "missing" }

/** A repository may ship many: what each can cost is bounded more tightly than for a bottle. */
const maxAgentFrontmatter = 16 * 1024

/** Read one agent file. The name is known to be a name; nothing outside the folder is ever opened. */
export async function readAgentFile(folder: AgentFolder, name: string, userHome: string): Promise<AgentRead> {
  const display = folder.displayOf(name)
  const bad = (problems: readonly Problem[]): AgentRead => ({ kind: "bad", diagnostics: diagnose(display, problems) })
  // A repository's folder may be a link: then it has no agents at all.
  if ((await folderKind(folder.path, folder)) !== "usable") return { kind: "missing" }
  const path = join(folder.path, `${name}.md`)
  const opened = await openManifest(path, folder)
  if (opened.kind === "missing") return opened
  if (opened.kind === "bad") return bad([opened.problem])
  const split = splitFrontmatter(opened.content.text, maxAgentFrontmatter)
  if ("message" in split) return bad([split])

  const [{ readDocument }, { checkDocument }, { agentSchema }] = await Promise.all([
    import("./source/document.ts"),
    import("./schema/check.ts"),
    import("./schema/agent.ts"),
  ])
  const document = readDocument(split.yaml, { firstLine: split.yamlLine })
  const checked = checkDocument(document, agentSchema)
  if (checked.kind === "bad") return bad(checked.problems)
  const { bottle, skills, description, "git-gate": gate } = checked.value
  const shown = folder.scope === "home" ? tilde(path, userHome) : display
  const agent: AgentManifest = {
    name,
    origin: { path, display: shown, scope: folder.scope, sha256: opened.content.sha256 },
    bottles: bottle === undefined ? [] : typeof bottle === "string" ? [bottle] : bottle,
    skills: skills ?? [],
    gitUser: gate?.user ?? {},
    prompt: split.body,
    ...(description === undefined ? {} : { description }),
    unbuilt: findUnbuilt("agent", document.data).map((key) => {
      const { line, col } = document.at(key, "key")
      return { key: pathText(key), position: `${display}:${line}:${col}` }
    }),
  }
  return { kind: "ok", agent }
}

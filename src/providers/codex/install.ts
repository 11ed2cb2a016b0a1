import { dirname, join } from "node:path"
import type { Mount } from "../../backends/backend.ts"
import { ancestors, isElf, notInstalled, versionOf } from "../installed.ts"
import type { HostLook } from "../provider.ts"

/** Where the CLI stands inside a bottle, wherever the operator has installed it. */
export const insideDirectory = "/opt/bot-bottle/codex"

/** The operator's Codex and what of it a bottle must show. */
export interface CodexInstall {
  /** Program that starts it inside. */
  command: string
  mounts: Mount[]
  /** Directories in front of PATH inside: the programs that come with it (ripgrep). */
  path: string[]
  version: string | undefined
  /** Host path, for the preflight; undefined for an image's. */
  source: string | undefined
}

/** The one that the bottle's image has on its PATH. */
export const inCodexImage: CodexInstall = {
  command: "codex",
  mounts: [],
  path: [],
  version: undefined,
  source: undefined,
}

const installHint = "install it: npm install -g @openai/codex@latest"
const triples: Readonly<Record<string, string>> = {
  x64: "x86_64-unknown-linux-musl",
  arm64: "aarch64-unknown-linux-musl",
}

/**
 * Find Codex on the operator's PATH. npm's `codex` is a small launcher; beside its package lies one for the platform
 * with a static binary and the programs it uses, which is shown as a whole, so that no Node is needed. A binary of
 * its own is shown as that one file. Throws `BottleError` (exit 4) when there is none.
 */
export function findCodex(host: HostLook, arch: string): CodexInstall {
  const program = host.which("codex")
  if (program === undefined) throw missing("Codex is not installed: no `codex` on PATH")
  if (isElf(program, host)) {
    const target = join(insideDirectory, "bin", "codex")
    const mounts = [{ source: program, target, readonly: true }]
    return { command: target, mounts, path: [], version: versionOf(program, host), source: program }
  }
  const source = platformPrograms(program, arch).find((binary) => isElf(binary, host))
  if (source === undefined) {
    throw missing(`${program} has no native Codex beside it (npm leaves it out with --omit=optional)`)
  }
  const root = dirname(dirname(source))
  return {
    command: join(insideDirectory, "bin", "codex"),
    mounts: [{ source: root, target: insideDirectory, readonly: true }],
    path: host.exists(join(root, "codex-path")) ? [join(insideDirectory, "codex-path")] : [],
    version: versionOf(source, host)?.replace(/-linux-.*$/, ""),
    source,
  }
}

/** Where the binary may be, as npm, pnpm and bun place the platform's package. */
function platformPrograms(program: string, arch: string): string[] {
  const triple = triples[arch]
  if (triple === undefined) return []
  const binary = join("vendor", triple, "bin", "codex")
  return ancestors(program).flatMap((directory) => [
    join(directory, "node_modules", "@openai", `codex-linux-${arch}`, binary),
    join(directory, binary),
  ])
}

function missing(message: string) {
  return notInstalled("codex", message, installHint)
}

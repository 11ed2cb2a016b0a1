import { join, relative } from "node:path"
import type { Mount } from "../../backends/backend.ts"
import type { BottleError } from "../../lib/errors.ts"
import { ancestors, isElf, isNodeScript, notInstalled, packageOf, versionOf } from "../installed.ts"
import type { HostLook } from "../provider.ts"

/** Where the CLI stands inside a bottle, wherever the operator has installed it. */
export const insideDirectory = "/opt/bot-bottle/claude"

/** The operator's Claude Code and what of it a bottle must show. */
export interface ClaudeInstall {
  /** argv that starts it inside. */
  command: string[]
  mounts: Mount[]
  version: string | undefined
  /** Host path, for the preflight; undefined for an image's. */
  source: string | undefined
}

/** The one that the bottle's image has on its PATH. */
export const inClaudeImage: ClaudeInstall = { command: ["claude"], mounts: [], version: undefined, source: undefined }

const installHint = "install it: npm install -g @anthropic-ai/claude-code@latest"
/** Native packages of the npm distribution, per libc. */
const nativePackages = (arch: string) => [
  `@anthropic-ai/claude-code-linux-${arch}`,
  `@anthropic-ai/claude-code-linux-${arch}-musl`,
]

/**
 * Find Claude Code on the operator's PATH. npm's `claude` is a link to a copy of a native binary, or, where npm ran
 * no install scripts, to a stub beside which the native package lies; that package is preferred because one file
 * is then all that the bottle shows. An older, plain JavaScript release is shown as its package and `node`.
 * Throws `BottleError` (exit 4) when there is none, or only a shell wrapper whose target cannot be known.
 */
export function findClaude(host: HostLook, arch: string): ClaudeInstall {
  const program = host.which("claude")
  if (program === undefined) throw missing("Claude Code is not installed: no `claude` on PATH")
  const native = findNative(program, host, arch)
  if (native !== undefined) return nativeInstall(native, host)
  if (isElf(program, host)) return nativeInstall(program, host)
  if (isNodeScript(program, host)) return scriptInstall(program, host)
  throw missing(`${program} is neither a program nor a Node script, so its Claude Code cannot be shown to a bottle`)
}

function findNative(program: string, host: HostLook, arch: string): string | undefined {
  for (const directory of ancestors(program)) {
    for (const name of nativePackages(arch)) {
      const candidate = join(directory, "node_modules", name, "claude")
      if (isElf(candidate, host)) return candidate
    }
  }
  return undefined
}

function nativeInstall(source: string, host: HostLook): ClaudeInstall {
  const target = join(insideDirectory, "claude")
  return { command: [target], mounts: [{ source, target, readonly: true }], version: versionOf(source, host), source }
}

function scriptInstall(program: string, host: HostLook): ClaudeInstall {
  const node = host.which("node")
  if (node === undefined) throw missing(`${program} needs Node, and there is no \`node\` on PATH`)
  const root = packageOf(program, host)
  if (root === undefined) throw missing(`${program} stands in no npm package, so what it needs cannot be known`)
  const packageTarget = join(insideDirectory, "package")
  const nodeTarget = join(insideDirectory, "node")
  return {
    command: [nodeTarget, join(packageTarget, relative(root, program))],
    mounts: [
      { source: root, target: packageTarget, readonly: true },
      { source: node, target: nodeTarget, readonly: true },
    ],
    version: versionOf(program, host),
    source: program,
  }
}

function missing(message: string): BottleError {
  return notInstalled("claude", message, installHint)
}

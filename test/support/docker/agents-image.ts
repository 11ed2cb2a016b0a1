import { mkdirSync, rmSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { linkTree } from "../link-tree.ts"
import { agentPackages, claudeBinary } from "../require.ts"
import type { TestEngine } from "./engine.ts"
import { importPackages } from "./host-image.ts"

/** What the CLIs and the shells they start need; node wants the C++ library. */
const packages = "bash dash coreutils curl findutils grep sed procps git libc-bin libstdc++6".split(" ")

/**
 * An image with the real agent CLIs where `npm install -g` puts them, made of this machine's packages and of what
 * test/agents has installed: no registry is needed.
 */
export async function importAgents(engine: TestEngine, dir: string, name: string): Promise<void> {
  const tree = join(dir, "agents")
  const bin = join(tree, "usr/local/bin")
  const modules = join(tree, "usr/local/lib/node_modules")
  mkdirSync(bin, { recursive: true })
  linkTree(claudeBinary() ?? "", join(bin, "claude"))
  linkTree(join(agentPackages, "node", "bin", "node"), join(bin, "node"))
  const codex = `codex-${process.platform}-${process.arch}`
  linkTree(join(agentPackages, "@openai", codex), join(modules, "@openai", codex))
  const triple = `${process.arch === "x64" ? "x86_64" : "aarch64"}-unknown-linux-musl`
  symlinkSync(`../lib/node_modules/@openai/${codex}/vendor/${triple}/bin/codex`, join(bin, "codex"))
  const pi = "@earendil-works/pi-coding-agent"
  linkTree(join(agentPackages, pi), join(modules, pi))
  symlinkSync(`../lib/node_modules/${pi}/dist/bundle/cli.js`, join(bin, "pi"))
  await importPackages(engine, dir, name, packages, tree)
  rmSync(tree, { recursive: true, force: true })
}

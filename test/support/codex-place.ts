import { chmodSync, mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { askedHost, askedRoute, type CliSource, onThisMachine } from "./cli-source.ts"
import { linkTree } from "./link-tree.ts"
import { makeAuthority } from "./model/pki.ts"
import { type PretendModel, startModel } from "./model/server.ts"
import type { Place } from "./place.ts"
import { agentPackages } from "./require.ts"

/** The operator's real key: must be seen by the upstream and by nothing inside. */
export const realKey = "sk-proj-REAL-0123456789abcdefghijklmnopqrstuvwxyz-REAL"

/**
 * Give a person the real Codex of npm on PATH, an agent and a bottle for it, and the scripted Responses API behind
 * real TLS where the bottle's route for api.openai.com connects to.
 */
export async function furnishCodex(place: Place, from: CliSource = onThisMachine): Promise<PretendModel> {
  const bin = join(place.dir, "bin")
  if (from.onPath) putCodex(place, bin)
  const authority = makeAuthority(join(place.dir, "pki"))
  chmodSync(join(place.dir, "pki"), 0o755)
  const model = await startModel({ tls: authority.issue("api.openai.com", askedHost), hostname: from.address })
  place.env.PATH = `${bin}:${place.env.PATH}`
  place.env.OPENAI_KEY = realKey
  const bottle = (
    settings: string,
  ) => `agent_provider: {template: codex, auth_token: OPENAI_KEY, settings: ${settings}${from.provider}}
${from.bottle}
egress:
  routes:
    - host: api.openai.com
      matches: []
      connect_to: ${from.address}:${model.port}
      ca: ${authority.certFile}
      allow_private: true
${askedRoute(from, model.port, authority.certFile)}`
  // A model that Codex does not know gets plain function tools.
  place.writeBottle("codex", bottle("{model: pretend}"))
  place.writeBottle("codex-own-model", bottle("{}"))
  place.writeAgent("codex", "bottle: codex", "You are a careful engineer.")
  return model
}

function putCodex(place: Place, bin: string): void {
  for (const name of ["codex", `codex-${process.platform}-${process.arch}`]) {
    linkTree(join(agentPackages, "@openai", name), join(place.dir, "npm", "node_modules", "@openai", name))
  }
  mkdirSync(bin)
  symlinkSync(join(place.dir, "npm", "node_modules", "@openai", "codex", "bin", "codex.js"), join(bin, "codex"))
}

import { chmodSync, mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { askedHost, askedRoute, type CliSource, onThisMachine } from "./cli-source.ts"
import { linkTree } from "./link-tree.ts"
import { makeAuthority } from "./model/pki.ts"
import { type PretendModel, startModel } from "./model/server.ts"
import type { Place } from "./place.ts"
import { agentPackages } from "./require.ts"

/** The operator's real keys: must be seen by the upstream and by nothing inside. */
export const realKeys = {
  anthropic: "sk-ant-api03-REAL-0123456789abcdefghijklmnopqrstuvwxyz-REAL",
  openai: "sk-proj-REAL-0123456789abcdefghijklmnopqrstuvwxyz-REAL",
} as const

/**
 * Give a person the real Pi of npm on PATH with a Node that can run it behind one that cannot, an agent and bottles
 * for it, and the scripted APIs behind real TLS where the bottles' routes connect to.
 */
export async function furnishPi(place: Place, from: CliSource = onThisMachine): Promise<PretendModel> {
  if (from.onPath) putPi(place)
  const authority = makeAuthority(join(place.dir, "pki"))
  chmodSync(join(place.dir, "pki"), 0o755)
  const model = await startModel({
    tls: authority.issue("api.anthropic.com", "api.openai.com", askedHost),
    hostname: from.address,
  })
  place.env.ANTHROPIC_KEY = realKeys.anthropic
  place.env.OPENAI_KEY = realKeys.openai
  const route = (host: string) => `egress:
  routes:
    - host: ${host}
      matches: []
      connect_to: ${from.address}:${model.port}
      ca: ${authority.certFile}
      allow_private: true
${askedRoute(from, model.port, authority.certFile)}`
  place.writeBottle(
    "pi",
    `agent_provider: {template: pi, auth_token: ANTHROPIC_KEY${from.provider}}\n${from.bottle}\n${route("api.anthropic.com")}`,
  )
  const openai = `{template: pi, auth_token: OPENAI_KEY, settings: {provider: openai}${from.provider}}\n${from.bottle}`
  place.writeBottle("pi-openai", `agent_provider: ${openai}\n${route("api.openai.com")}`)
  place.writeAgent("pi", "bottle: pi", "You are a careful engineer.")
  return model
}

function putPi(place: Place): void {
  const npm = join(place.dir, "npm", "node_modules")
  linkTree(join(agentPackages, "@earendil-works", "pi-coding-agent"), join(npm, "@earendil-works", "pi-coding-agent"))
  linkTree(join(agentPackages, "node"), join(npm, "node"))
  const bin = join(place.dir, "bin")
  mkdirSync(bin)
  symlinkSync(join(npm, "@earendil-works", "pi-coding-agent", "dist", "bundle", "cli.js"), join(bin, "pi"))
  place.env.PATH = `${bin}:${place.env.PATH}:${join(npm, "node", "bin")}`
}

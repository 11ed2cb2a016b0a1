import { chmodSync, copyFileSync, linkSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { askedHost, askedRoute, type CliSource, onThisMachine } from "./cli-source.ts"
import { makeAuthority } from "./model/pki.ts"
import { type PretendModel, startModel } from "./model/server.ts"
import type { Place } from "./place.ts"
import { claudeBinary } from "./require.ts"

/** The operator's real token: must be seen by the upstream and by nothing inside. */
export const realToken = "sk-ant-oat01-REAL-0123456789abcdefghijklmnopqrstuvwxyz-REAL"

/**
 * Give a person the real Claude Code CLI on PATH, an agent and a bottle for it, and the scripted Messages API behind
 * real TLS where the bottle's route for api.anthropic.com connects to.
 */
export async function furnishClaude(place: Place, from: CliSource = onThisMachine): Promise<PretendModel> {
  const bin = join(place.dir, "bin")
  if (from.onPath) {
    mkdirSync(bin)
    putClaude(join(bin, "claude"))
  }
  const authority = makeAuthority(join(place.dir, "pki"))
  chmodSync(join(place.dir, "pki"), 0o755)
  const model = await startModel({ tls: authority.issue("api.anthropic.com", askedHost), hostname: from.address })
  place.env.PATH = `${bin}:${place.env.PATH}`
  place.env.CLAUDE_TOKEN = realToken
  place.writeBottle(
    "claude",
    `agent_provider: {template: claude, auth_token: CLAUDE_TOKEN${from.provider}}
${from.bottle}
egress:
  routes:
    - host: api.anthropic.com
      matches: []
      connect_to: ${from.address}:${model.port}
      ca: ${authority.certFile}
      allow_private: true
${askedRoute(from, model.port, authority.certFile)}`,
  )
  place.writeAgent("claude", "bottle: claude", "You are a careful engineer.")
  return model
}

/** The CLI is 380 MB: linked where the file system allows it. */
function putClaude(to: string): void {
  const from = claudeBinary()
  if (from === undefined) throw new Error("claude is not installed in test/agents")
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
  chmodSync(to, 0o755)
}

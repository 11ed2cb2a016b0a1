import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { KeeperStatus } from "../../../src/bottle/keeper/protocol.ts"
import { serveClients } from "../../../src/bottle/keeper/server.ts"
import { recordKeeper } from "../../../src/bottle/keeper/whereabouts.ts"

/**
 * A home with so many running bottles and open proposals as its files and keepers' sockets have them. This process
 * answers for every keeper: what is measured is the dashboard.
 */
export async function makeBottles(home: string, sockets: string, bottles: number, proposals: number): Promise<void> {
  const startedAt = new Date().toISOString()
  for (let at = 0; at < bottles; at += 1) {
    const slug = `bench-${String(at).padStart(5, "0")}`
    const state = join(home, "state", slug)
    for (const dir of [state, join(home, "queue", slug)]) mkdirSync(dir, { recursive: true, mode: 0o700 })
    const metadata = {
      ...{ identity: slug, agent_name: "claude", cwd: "/", copy_cwd: false, started_at: startedAt, label: slug },
      ...{ backend: "namespace", color: null, bottle_names: ["bench"], provider: "claude" },
    }
    writeFileSync(join(state, "metadata.json"), JSON.stringify(metadata))
    const socket = join(sockets, `${at}.sock`)
    await serveClients(socket, {
      answer: async () => ({ ok: true, status: statusOf(slug, startedAt) }),
      session: async (_request, client) => void client.destroy(),
    })
    recordKeeper(state, socket, "keeping")
  }
  for (let at = 0; at < proposals; at += 1) {
    const slug = `bench-${String(at % bottles).padStart(5, "0")}`
    const id = `p${String(at).padStart(10, "0")}`
    const proposal = {
      ...{ schemaVersion: 1, id, bottle_slug: slug, tool: "egress-block", arrival_timestamp: startedAt },
      ...{ proposed_file: `host: h${at}.example.com\n`, justification: `the tests need it: ${at}` },
      current_file_hash: "0".repeat(64),
    }
    writeFileSync(join(home, "queue", slug, `${id}.proposal.json`), JSON.stringify(proposal))
  }
}

function statusOf(slug: string, startedAt: string): KeeperStatus {
  const up = { state: "up", pid: 1, restarts: 0, policyHash: "" } as const
  const sidecars = (["egress", "supervise"] as const).map((name) => ({ name, ...up }))
  return { slug, state: "running", degraded: false, sidecars, probes: [], refused: 0, startedAt, pid: process.pid }
}

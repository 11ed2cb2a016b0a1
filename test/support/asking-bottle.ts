import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { RunResult } from "./command.ts"
import { type Place, placeBinary } from "./place.ts"
import { createAuthority } from "./tls/authority.ts"
import { respond, startUpstream } from "./tls/upstream.ts"
import { waitFor } from "./wait.ts"

/** A running bottle without an agent of its own: its tests ask as the agent would, and decide as the operator does. */
export interface AskingBottle {
  slug: string
  /** A shell script inside. */
  inside(script: string): Promise<RunResult>
  /** The status that a request for this path gets, of api.test unless another host is named. */
  get(path: string, host?: string): Promise<string>
  /** A call of a tool of supervise's, whose answer is awaited for a few seconds. */
  call(tool: string, given: object, seconds?: number): Promise<string>
  /** Ask for a path, or for more, and give the proposal's id; whoever asked goes away, which withdraws nothing. */
  ask(path: string, more?: object): Promise<string>
  openIds(): Promise<string[]>
  decide(...args: string[]): Promise<RunResult>
  /** Lines of the audit, parsed. */
  audit(): Record<string, unknown>[]
  close(): Promise<void>
}

/** Start one, with a route to `/ok` of api.test, where an upstream answers. `more` are further lines of its file. */
export async function startAskingBottle(place: Place, more = ""): Promise<AskingBottle> {
  const authority = createAuthority("upstream")
  const upstream = await startUpstream({ authority, host: "api.test", reply: (_, stream) => respond(stream, "ok") })
  place.writeWork("ca.pem", authority.cert)
  const target = `connect_to: "127.0.0.1:${upstream.port}", ca: ${join(place.work, "ca.pem")}, allow_private: true`
  place.writeBottle(
    "dev",
    `agent_provider: {template: command}   # the operator's own words
${more}
egress:
  routes:
    # what everybody needs
    - {host: api.test, ${target}, path_allowlist: [/ok]}`,
  )
  const bottle = await runAskingBottle(place, "dev")
  await waitFor("its agent", async () => (await bottle.get("/ok")) === "200")
  return {
    ...bottle,
    async close() {
      await bottle.close()
      await upstream.close()
    },
  }
}

/** Start one from a bottle file of the test's own; what its agent reaches is the test's to wait for. */
export async function runAskingBottle(place: Place, name: string): Promise<AskingBottle> {
  const argv = place.as([placeBinary(place), "start", "--headless", "--bottle", name, "--", "sleep", "600"])
  const client = Bun.spawn(argv, { cwd: place.work, env: place.env, stdio: ["ignore", "ignore", "ignore"] })
  const slug = await waitFor("a running bottle", () => place.states()[0])
  const bottle: AskingBottle = {
    slug,
    inside: (script) => place.bottle(["exec", slug, "--", "sh", "-c", script]),
    async get(path, host = "api.test") {
      const { stdout } = await bottle.inside(`curl -s -o /dev/null -w '%{http_code}' https://${host}${path}`)
      return stdout.trim()
    },
    async call(tool, given, seconds = 2) {
      const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: given } }
      const types = "-H 'content-type: application/json' -H 'accept: application/json, text/event-stream'"
      const curl = `curl -s -m ${seconds} --noproxy '*' ${types} -d '${JSON.stringify(message)}' http://127.0.0.1:9100/mcp`
      return (await bottle.inside(curl)).stdout
    },
    async ask(path, given = {}) {
      const known = new Set(await bottle.openIds())
      await bottle.call("egress-block", { host: "api.test", path_allowlist: [path], justification: "e2e", ...given })
      return waitFor("the proposal", async () => (await bottle.openIds()).find((id) => !known.has(id)))
    },
    async openIds() {
      const { stdout } = await place.bottle(["proposals", "list", "--json"])
      return JSON.parse(stdout).proposals.map(({ id }: { id: string }) => id)
    },
    decide: (...args) => place.bottle(["proposals", ...args]),
    audit: () =>
      readFileSync(join(place.botHome, "audit", `${slug}.jsonl`), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async close() {
      client.kill()
    },
  }
  return bottle
}

import { expect } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { AgentCli } from "./agent-sessions.ts"
import { askedHost } from "./cli-source.ts"
import type { PretendModel } from "./model/server.ts"
import type { Place } from "./place.ts"
import { waitFor } from "./wait.ts"

/**
 * One session of a real CLI that is refused and asks four times: an approval lets the same request pass, a rejection's
 * reason reaches the model, and of a modification the operator's text is what is in force, not the agent's.
 */
export async function testAsking(cli: AgentCli, place: Place, model: PretendModel): Promise<void> {
  const before = model.requests.length
  const get = (path: string) =>
    cli.run(`curl -sS -w ' status-%{http_code}-of-${path}' https://${askedHost}/asked/${path} 2>&1`)
  const plead = (path: string) =>
    cli.ask("egress-block", { host: askedHost, path_allowlist: [`/asked/${path}`], justification: `for ${path}` })
  const script = [
    ...[get("first"), plead("first"), get("first")],
    ...[plead("second"), get("second")],
    ...[plead("third"), get("third"), get("less")],
    "SAY all asked",
  ]
  const running = place.bottle(["start", cli.name, "--headless", `--prompt=${script.join("\n")}`])
  let ended = false
  void running.finally(() => {
    ended = true
  })
  const asked = (path: string) =>
    waitFor(
      `the proposal for ${path}`,
      async () => {
        if (ended) throw new Error(`it ended before it asked for ${path}: ${JSON.stringify(await running)}`)
        const { stdout } = await place.bottle(["proposals", "list", "--json"])
        const open = JSON.parse(stdout).proposals as { id: string; justification: string }[]
        return open.find(({ justification }) => justification === `for ${path}`)?.id
      },
      300_000,
    )
  const decide = async (...args: string[]) => {
    const result = await place.bottle(["proposals", ...args])
    expect(result.code, result.stdout + result.stderr).toBe(0)
  }

  const first = await asked("first")
  const { hash } = JSON.parse((await place.bottle(["proposals", "show", first, "--json"])).stdout)
  await decide("approve", first, "--proposal-hash", hash)
  await decide("reject", await asked("second"), "--reason", "the mirror in the harbour has it")
  const own = join(place.work, "own.yaml")
  writeFileSync(own, `host: ${askedHost}\npath_allowlist: [/asked/less]\n`, { mode: 0o644 })
  await decide("modify", await asked("third"), "--file", own, "--yes", "--note", "less will do")

  const result = await running
  expect([result.code, result.stdout.includes("all asked")], result.stderr).toEqual([0, true])
  const seen = model.requests.slice(before)
  expect(seen.filter(({ path }) => path.startsWith("/asked/")).map(({ path }) => path)).toEqual([
    "/asked/first",
    "/asked/less",
  ])
  // What the model was told, in order; one of the CLIs sends only what is new.
  const heard = seen.map(({ body }) => body).join("\n")
  // One of them passes on the result's data, the others its words.
  const inOrder = [
    ...[/egress-block \{/, /status-403-of-first/, /approved/i, /status-200-of-first/],
    ...[/rejected/i, /the mirror in the harbour has it/, /status-403-of-second/],
    ...[/modified|approved with changes/i, /less will do/, /asked\/less/, /status-403-of-third/, /status-200-of-less/],
  ]
  let rest = heard
  for (const words of inOrder) {
    const found = words.exec(rest)
    expect(found, `${words} in ${heard}`).not.toBeNull()
    rest = rest.slice((found?.index ?? 0) + 1)
  }
  const slug = /bottle resume (\S+)/.exec(result.stderr)?.[1] ?? ""
  const audit = await place.bottle(["audit", "verify", slug])
  expect(audit.code, audit.stdout + audit.stderr).toBe(0)
  await place.bottle(["destroy", slug, "--yes"])
}

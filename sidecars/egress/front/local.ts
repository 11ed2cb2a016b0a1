import type { Engine } from "../engine.ts"
import { clientCloses } from "../exchange/answer.ts"
import type { Place } from "../exchange/judge.ts"
import { frameRequest } from "../http/body.ts"
import type { RequestHead } from "../http/head.ts"
import { describeRules } from "../rules.ts"
import type { Client } from "./client.ts"
import { renderResponse } from "./refusal.ts"

/** Answer for `_egress.local`: `/health`, and `/allowlist` with what the bottle may reach now, in words. */
export async function answerLocally(engine: Engine, client: Client, head: RequestHead, place: Place): Promise<boolean> {
  const [status, body] = pageFor(engine, head, place.target)
  const keep = !clientCloses(head) && hasNoBody(head)
  await client.answer(renderResponse(status, "text/plain; charset=utf-8", body, head, !keep))
  return keep
}

function pageFor(engine: Engine, head: RequestHead, target: string): [status: number, body: string] {
  if (head.method !== "GET" && head.method !== "HEAD") return [403, "only GET is answered here\n"]
  const path = target.split("?", 1)[0]
  if (path === "/health") return [200, "ok\n"]
  if (path === "/allowlist") return [200, describeRules(engine.rules)]
  return [404, "there is /allowlist and /health\n"]
}

function hasNoBody(head: RequestHead): boolean {
  try {
    return frameRequest(head).kind === "none"
  } catch {
    return false
  }
}

import type { Socket } from "node:net"
import { egressName, parseAuthority } from "../../../src/policy/host.ts"
import { refuse } from "../../../src/policy/refuse.ts"
import type { Engine } from "../engine.ts"
import { refuseRequest } from "../exchange/answer.ts"
import type { Place } from "../exchange/judge.ts"
import { valuesOf } from "../http/fields.ts"
import type { RequestHead } from "../http/head.ts"
import { Client } from "./client.ts"
import { malformed, type Refusal, refusalOf } from "./refusal.ts"
import { readRequest, serveRequest } from "./requests.ts"
import { openTunnel } from "./tunnel.ts"

/** Serve one connection of an agent from its first byte to its last. Rejects only on what nobody planned. */
export async function serveConnection(engine: Engine, socket: Socket): Promise<void> {
  const client = new Client(socket, engine.clock.now)
  engine.clients.add(client)
  socket.on("close", () => engine.clients.delete(client))
  for (;;) {
    const head = await readRequest(engine, client)
    if (head === undefined) return
    if (head.method === "CONNECT") return openTunnel(engine, client, socket, head)
    const place = placeOf(head, engine.rules.policy.supervise)
    const keep =
      "status" in place
        ? await refuseRequest(engine, client, head, {}, place)
        : await serveRequest(engine, client, head, place)
    if (!keep) return client.close()
  }
}

const absoluteForm = /^(https?):\/\/([^/?#]*)([/?][^#]*)?$/i

/** Where a request outside a tunnel goes: its URL says, or it is for us. */
function placeOf(head: RequestHead, supervise: boolean): Place | Refusal {
  const { target } = head
  if (target.startsWith("/")) {
    const [host = ""] = valuesOf(head.headers, "host")
    if (host.replace(/:80$/, "") === egressName) return { scheme: "http", host: egressName, port: 80, target }
    return malformed("a proxy is asked with CONNECT or with an absolute URL")
  }
  const match = absoluteForm.exec(target)
  if (match === null) return malformed("the target is no absolute http URL")
  const [, scheme = "", authority = "", rest = "/"] = match
  if (scheme.toLowerCase() !== "http") return malformed("https goes through CONNECT")
  const named = parseAuthority(authority)
  if (named.kind === "bad") return refusalOf(refuse("bad-host", { why: named.why }, supervise), 400)
  const path = rest.startsWith("?") ? `/${rest}` : rest
  return { scheme: "http", host: named.host, port: named.port ?? 80, target: path }
}

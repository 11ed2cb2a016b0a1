import { readFileSync } from "node:fs"
import { Agent } from "node:http"
import { connect as connectTcp } from "node:net"
import type { Duplex } from "node:stream"
import { connect as connectTls } from "node:tls"
import { BottleError } from "../../../lib/errors.ts"
import type { Endpoint, TlsFiles } from "../endpoint.ts"
import { SshStream } from "./ssh-stream.ts"
import { Turnstile } from "./turnstile.ts"

/** A server refuses newcomers beyond its tenth that has not proved who it is (MaxStartups). */
const mostHandshakes = 5

/** Where the connections of an http client come from. Idle ones are used again: a handshake costs round trips. */
class DialAgent extends Agent {
  readonly #dial: () => Duplex

  constructor(dial: () => Duplex) {
    super({ keepAlive: true, maxFreeSockets: 4 })
    this.#dial = dial
  }

  override createConnection(): Duplex {
    return this.#dial()
  }
}

/** The connections to an engine. Throws `BottleError` when a file that TLS needs cannot be read. */
export function agentFor(endpoint: Exclude<Endpoint, { kind: "unix" }>): Agent {
  if (endpoint.kind === "ssh") {
    const handshakes = new Turnstile(mostHandshakes)
    return new DialAgent(() => new SshStream(endpoint, handshakes))
  }
  const { host, port, tls } = endpoint
  if (tls === undefined) return new DialAgent(() => connectTcp({ host, port }))
  const options = { ...readTls(tls), host, port, rejectUnauthorized: true }
  return new DialAgent(() => connectTls(options))
}

function readTls(tls: TlsFiles): { ca?: string; cert?: string; key?: string } {
  const parts = Object.entries(tls).filter((part): part is [string, string] => part[1] !== undefined)
  return Object.fromEntries(parts.map(([name, path]) => [name, readPem(path)]))
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    throw new BottleError(`${path} cannot be read`, {
      code: "docker-endpoint",
      exit: "missingPart",
      hint: "the engine is spoken to over TLS with it; put it back, or name another engine",
      cause: error,
    })
  }
}

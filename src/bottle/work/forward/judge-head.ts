/** What is done with the first bytes of a connection. `more`: it may be HTTP, and its head is not complete yet. */
export type HeadVerdict = { kind: "pass" } | { kind: "more" } | { kind: "refuse"; why: string }

const longestHead = 64 * 1024
const methods = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT) /
const startOfMethod = /^[A-Z]{0,7}$/

/**
 * A page of somebody else's in the operator's browser reaches every port of the loopback. What comes in as HTTP must
 * therefore name this server as its host (a name that was rebound to 127.0.0.1 does not), and must not come from another
 * site's page by script, form or WebSocket; following a link to here is allowed. Anything but HTTP passes: a browser
 * cannot be made to speak it.
 */
export function judgeHead(head: Uint8Array, port: number): HeadVerdict {
  const text = Buffer.from(head.subarray(0, longestHead)).toString("latin1")
  if (!methods.test(text)) return startOfMethod.test(text) ? { kind: "more" } : { kind: "pass" }
  const end = text.search(/\r?\n\r?\n/)
  if (end === -1)
    return head.length < longestHead ? { kind: "more" } : { kind: "refuse", why: "the request's head is too long" }
  const fields = text.slice(0, end).split(/\r?\n/).slice(1)
  const values = (name: string) =>
    fields.flatMap((line) => {
      const colon = line.indexOf(":")
      return line.slice(0, colon).trim().toLowerCase() === name
        ? [
            line
              .slice(colon + 1)
              .trim()
              .toLowerCase(),
          ]
        : []
    })
  const own = [`127.0.0.1:${port}`, `localhost:${port}`, ...(port === 80 ? ["127.0.0.1", "localhost"] : [])]
  const hosts = values("host")
  if (hosts.length !== 1 || !own.includes(hosts[0] ?? ""))
    return { kind: "refuse", why: `this is ${own[0]}, and nothing else` }
  const origins = own.map((host) => `http://${host}`)
  if (values("origin").some((origin) => !origins.includes(origin)))
    return { kind: "refuse", why: "the request comes from another site" }
  const crossSite = values("sec-fetch-site").some((site) => site === "cross-site" || site === "same-site")
  if (crossSite && !values("sec-fetch-mode").includes("navigate"))
    return { kind: "refuse", why: "the request comes from another site" }
  return { kind: "pass" }
}

/** The answer to a request that is refused. */
export function refusalPage(why: string): string {
  const body = `bottle forward: refused: ${why}\n`
  return `HTTP/1.1 421 Misdirected Request\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`
}

import { ports } from "../../sidecars/guest/protocol.ts"

/** Where the agent asks its operator, the same in every bottle. */
export const superviseUrl = `http://127.0.0.1:${ports.supervise}/mcp`

/** Seconds that a call may last: a person answers. Every CLI gives up within minutes unless it is told (FACTS 21). */
export const superviseSeconds = 24 * 60 * 60

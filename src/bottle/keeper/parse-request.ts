import type { PtySize } from "../../../sidecars/guest/protocol.ts"
import { parseProposalRequest } from "./proposals/parse-request.ts"
import type { KeeperRequest } from "./protocol.ts"

type Unknowns = Record<string, unknown>

const isObject = (value: unknown): value is Unknowns =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === "string" && !value.includes("\0")
const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 9999

/** A client's request as the protocol has it; undefined for anything else, which must not be taken for some request. */
export function parseKeeperRequest(line: string): KeeperRequest | undefined {
  const value = parseJson(line)
  if (!isObject(value)) return undefined
  const { op, how, argv, pty, term, stdin, port } = value
  if (op === "status" || op === "freeze") return { op }
  if (op === "stop") return how === "stop" || how === "destroy" ? { op, how } : undefined
  if (op === "forward") return isPort(port) ? { op, port } : undefined
  if (op !== "attach" && op !== "exec") return parseProposalRequest(value)
  if ((pty !== null && !isPtySize(pty)) || !isText(term) || typeof stdin !== "boolean") return undefined
  const size = pty === null ? null : { cols: pty.cols, rows: pty.rows }
  if (op === "attach") return { op, pty: size, term, stdin }
  if (!Array.isArray(argv) || argv.length === 0 || !argv.every(isText)) return undefined
  return { op, argv, pty: size, term, stdin }
}

const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function isPtySize(value: unknown): value is PtySize {
  return isObject(value) && isCount(value.cols) && isCount(value.rows)
}

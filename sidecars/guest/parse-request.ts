import { type GuestFile, type GuestRequest, isReservedPort, type PtySize } from "./protocol.ts"

type Unknowns = Record<string, unknown>

const isObject = (value: unknown): value is Unknowns =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === "string" && !value.includes("\0")
const areTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
const isCount = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most

/** A request as the protocol has it, or what is wrong with the line. Written by hand: the guest loads no schema library. */
export function parseRequest(line: string): GuestRequest | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return "not a line of JSON"
  }
  if (!isObject(value)) return "not an object"
  switch (value.op) {
    case "files":
      return Array.isArray(value.files) && value.files.every(isGuestFile)
        ? { op: "files", files: value.files }
        : "files: not a list of {path, mode, content}"
    case "prove":
      return parseProve(value)
    case "start":
      return parseStart(value)
    case "dial":
      return isCount(value.port, 65_535) && value.port > 0 && !isReservedPort(value.port)
        ? { op: "dial", port: value.port }
        : "dial: not a port of the agent's"
    case "status":
      return { op: "status" }
    default:
      return "unknown op"
  }
}

function parseProve({ hostAddresses, proxy, kernel }: Unknowns): GuestRequest | string {
  if (!areTexts(hostAddresses) || !isText(proxy)) return "prove: hostAddresses and proxy are needed"
  if (kernel !== undefined && kernel !== "gvisor") return "prove: that kernel is not known"
  return { op: "prove", hostAddresses, proxy, ...(kernel === undefined ? {} : { kernel }) }
}

function parseStart(value: Unknowns): GuestRequest | string {
  const { argv, env, cwd, pty, stdin } = value
  if (!areTexts(argv) || argv.length === 0) return "start: argv is not a list of text"
  if (!isObject(env) || !Object.values(env).every(isText)) return "start: env is not a table of text"
  if (!isText(cwd)) return "start: cwd is not text"
  if (pty !== null && !isPtySize(pty)) return "start: pty is neither null nor {cols, rows}"
  if (typeof stdin !== "boolean") return "start: stdin is not true or false"
  return { op: "start", argv, env: env as Record<string, string>, cwd, pty, stdin }
}

function isGuestFile(value: unknown): value is GuestFile {
  if (!isObject(value) || (value.base64 !== undefined && value.base64 !== true)) return false
  return isText(value.path) && isCount(value.mode, 0o777) && typeof value.content === "string"
}

function isPtySize(value: unknown): value is PtySize {
  return isObject(value) && isCount(value.cols, 9999) && isCount(value.rows, 9999)
}

import { readFileSync } from "node:fs"
import { sha256 } from "../line.ts"
import { tornPath } from "../set-aside.ts"
import type { Finding } from "./finding.ts"

/** Are the bytes that a repair moved out of a log still what they were? `hash` is what the record of it says. */
export function checkSetAside(log: string, hash: string, line: number): Finding | undefined {
  const wrong = (what: string): Finding => ({
    severity: "tampering",
    kind: "set-aside",
    line,
    text: `the torn bytes that line ${line} tells of ${what}`,
  })
  if (!/^[0-9a-f]{64}$/.test(hash)) return wrong("have no hash")
  try {
    return sha256(readFileSync(tornPath(log, hash))) === hash ? undefined : wrong("were changed")
  } catch {
    return wrong("are gone")
  }
}

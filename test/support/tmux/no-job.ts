import { expect } from "bun:test"
import { existsSync, rmSync } from "node:fs"
import type { TmuxServer } from "../tmux.ts"

/**
 * Hold that no text made this server run `touch $RAN`, where `RAN` in its environment is the path `ran`. First a job
 * that is run on purpose must leave its trace: what is looked at is where a trace would be.
 */
export async function expectNoJob(server: TmuxServer, ran: string): Promise<void> {
  const control = `${ran}-on-purpose`
  await server.tmux("run-shell", 'touch "$RAN-on-purpose"')
  expect(existsSync(control)).toBe(true)
  rmSync(control)
  expect(existsSync(ran)).toBe(false)
}

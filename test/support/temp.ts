import { afterAll } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A directory for this test file, removed after its last test. */
export function tempDir(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `bottle-${name}-`))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

import { expect, test } from "bun:test"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { dropSecretName, keepSecretName, listSecretNames } from "../../../src/lib/settings-secrets.ts"
import { tempDir } from "../../support/temp.ts"

const dir = tempDir("settings")

test("a name is added and removed without touching comments and other keys", async () => {
  const path = join(dir, "commented.yml")
  const before = "# mine\nbackend: docker # because\nsecrets:\n  # from pass\n  A: {command: [pass, show, a]}\n"
  writeFileSync(path, before)
  await keepSecretName(path, "B")
  expect(await listSecretNames(path)).toEqual([
    { name: "A", source: "command" },
    { name: "B", source: "keyring" },
  ])
  const text = readFileSync(path, "utf8")
  for (const part of ["# mine", "backend: docker # because", "# from pass", "B: { keyring: B }"])
    expect(text).toContain(part)
  expect(await dropSecretName(path, "B")).toBe(true)
  expect(await dropSecretName(path, "B")).toBe(false)
  expect(readFileSync(path, "utf8")).toContain("# from pass")
})

test.each([undefined, "", "# only a comment\n", "backend: namespace\n", "secrets:\n"])(
  "starting from %p",
  async (text) => {
    const path = join(dir, `start-${Bun.hash(String(text))}`, "settings.yml")
    if (text !== undefined) {
      await keepSecretName(path, "X")
      writeFileSync(path, text)
    }
    await keepSecretName(path, "TOKEN")
    expect(await listSecretNames(path)).toEqual([{ name: "TOKEN", source: "keyring" }])
    expect(readFileSync(path, "utf8")).toContain(text?.split("\n")[0]?.replace("secrets:", "") ?? "")
    expect(statSync(path).mode & 0o777).toBe(0o600)
  },
)

test.each(["a: [", "- list\n", "secrets: no\n"])("a file like %p is left alone with exit 3", async (text) => {
  const path = join(dir, "broken.yml")
  writeFileSync(path, text)
  await expect(keepSecretName(path, "TOKEN")).rejects.toMatchObject({ exitCode: 3 })
  expect(readFileSync(path, "utf8")).toBe(text)
})

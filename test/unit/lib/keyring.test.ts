import { expect, test } from "bun:test"
import { type KeyringStore, readSecret, removeSecret, writeSecret } from "../../../src/lib/keyring.ts"

function memoryStore(): KeyringStore & { entries: Map<string, string> } {
  const entries = new Map<string, string>()
  const key = ({ service, name }: { service: string; name: string }) => `${service}/${name}`
  return {
    entries,
    get: async (entry) => entries.get(key(entry)) ?? null,
    set: async (entry) => void entries.set(key(entry), entry.value),
    delete: async (entry) => entries.delete(key(entry)),
  }
}

const broken: KeyringStore = {
  get: () => Promise.reject(new Error("libsecret not available")),
  set: () => Promise.reject(new Error("libsecret not available")),
  delete: () => Promise.reject(new Error("libsecret not available")),
}

test("a value is kept, read and forgotten under the service bot-bottle", async () => {
  const store = memoryStore()
  await writeSecret("TOKEN", "v", store)
  expect([...store.entries]).toEqual([["bot-bottle/TOKEN", "v"]])
  expect(await readSecret("TOKEN", store)).toBe("v")
  expect(await removeSecret("TOKEN", store)).toBe(true)
  expect(await removeSecret("TOKEN", store)).toBe(false)
  expect(await readSecret("TOKEN", store)).toBeUndefined()
})

test("without a keyring reading finds nothing, and writing names the three ways", async () => {
  expect(await readSecret("TOKEN", broken)).toBeUndefined()
  const error = await writeSecret("TOKEN", "hunter2", broken).catch((thrown) => thrown)
  expect(error).toMatchObject({ exitCode: 4, code: "no-keyring" })
  for (const way of ["export TOKEN=", "command", "keyring"]) expect(error.hint).toContain(way)
  expect(error.message + error.hint).not.toContain("hunter2")
})

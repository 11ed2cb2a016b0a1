import { expect, test } from "bun:test"
import { identitiesFor, isMapped } from "../../../../src/backends/namespace/identity.ts"

const whole = "         0          0 4294967295\n"
const root = { uid: 0, gid: 0 }

test("an ordinary user stays himself on both sides", () => {
  const me = { uid: 1000, gid: 1000 }
  expect(identitiesFor("a", me, "")).toEqual({ dedicated: false, agent: me, sidecars: me })
})

test("root's bottles get two users each, never root, the same at every look", () => {
  const one = identitiesFor("dev-a1b2c", root, whole)
  expect(one).toEqual(identitiesFor("dev-a1b2c", root, whole))
  expect(one.sidecars.uid).toBe(one.agent.uid + 1)
  for (let i = 0; i < 2000; i++) {
    const { agent, sidecars } = identitiesFor(`slug-${i}`, root, whole)
    expect(agent.uid).toBeGreaterThanOrEqual(0x70000000)
    expect(sidecars.uid).toBeLessThan(0x70400000)
    expect((agent.uid - 0x70000000) % 4).toBe(0)
  }
})

test("slugs rarely share a user", () => {
  const uids = new Set(Array.from({ length: 1000 }, (_, i) => identitiesFor(`slug-${i}`, root, whole).agent.uid))
  expect(uids.size).toBeGreaterThan(995)
})

test("root in a container without these ids is told so", () => {
  expect(() => identitiesFor("a", root, "0 100000 65536\n")).toThrow("do not exist here")
})

test("a map of several ranges is read as such", () => {
  expect(isMapped(70000, "0 1000 1\n1 100000 65536\n")).toBe(false)
  expect(isMapped(65536, "0 1000 1\n1 100000 65536\n")).toBe(true)
  expect(isMapped(5, "")).toBe(false)
})

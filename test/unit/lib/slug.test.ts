import { expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { isSlug, makeSlug } from "../../../src/lib/slug.ts"

const zeros = (bytes: number) => new Uint8Array(bytes)

test.each([
  ["api", "api-00000"],
  ["Fix the Login!", "fix-the-login-00000"],
  ["--a--b--", "a-b-00000"],
  ["Überprüfung", "uberprufung-00000"],
  ["日本", "bottle-00000"],
  ["", "bottle-00000"],
  ["../../etc/passwd", "etc-passwd-00000"],
  ["x".repeat(90), `${"x".repeat(34)}-00000`],
  [`${"x".repeat(33)} y`, `${"x".repeat(33)}-00000`],
])("label %p becomes slug %p", (label, slug) => {
  expect(makeSlug(label, zeros)).toBe(slug)
})

test("every slug made is a slug, and two of one label differ", () => {
  const made = Array.from({ length: 500 }, () => makeSlug("a label", randomBytes))
  expect(made.every(isSlug)).toBe(true)
  // Of 500 two are the same once in 500 runs.
  expect(new Set(made.slice(0, 20)).size).toBe(20)
})

test("bytes that would favour some letters are thrown away", () => {
  let call = 0
  const biased = (bytes: number) => new Uint8Array(bytes).fill(call++ === 0 ? 255 : 1)
  expect(makeSlug("a", biased)).toBe("a-11111")
})

test.each(["", "-a", "a-", "a--b", "A", "a_b", "a/b", "..", "a\n", "x".repeat(41)])("%p is no slug", (text) => {
  expect(isSlug(text)).toBe(false)
})

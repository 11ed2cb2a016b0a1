import { expect, test } from "bun:test"
import { wrapText } from "../../../src/ui/wrap.ts"

test("breaks between words and goes on under the text", () => {
  expect(wrapText("name one two three", 5, 12)).toEqual(["name one two", "     three"])
})
test("cuts a word that is longer than a line, and loses none of it", () => {
  const lines = wrapText("x ".padEnd(30, "y"), 2, 10)
  expect(lines.every((line) => line.length <= 10)).toBe(true)
  expect(lines.join("").replaceAll(" ", "")).toBe(`x${"y".repeat(28)}`)
})
test("lets nothing foreign through raw", () => {
  expect(wrapText("a\u001b[2Jb", 2)[0]).not.toContain("\u001b")
})

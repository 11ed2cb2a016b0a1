import { expect, test } from "bun:test"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describeFailure, failureJson, failureText } from "../../../src/commands/_failure.ts"
import { BottleError } from "../../../src/lib/errors.ts"
import { tempDir } from "../../support/temp.ts"

const dir = tempDir("failure")

test("what a person can mend is two lines: the message and the hint", () => {
  const error = new BottleError("no agent is called clade", {
    code: "x",
    exit: "notFound",
    hint: "did you mean claude?",
  })
  const failure = describeFailure(error, dir, "start")
  expect(failure.exitCode).toBe(5)
  expect(failureText(failure)).toBe("error: no agent is called clade\n  hint: did you mean claude?\n")
  expect(JSON.parse(failureJson(failure))).toEqual({
    schemaVersion: 1,
    error: { code: "x", message: "no agent is called clade", hint: "did you mean claude?" },
  })
})

test("foreign text in a message cannot drive the terminal", () => {
  const error = new BottleError("bad name \u001b]0;owned\u0007\u001b[2J", { code: "x", exit: "failed" })
  expect(failureText(describeFailure(error, dir, "start"))).not.toMatch(/[\u001b\u0007]/)
})

test("what nobody planned is one line and a crash log with the stack", () => {
  const logs = join(dir, "logs")
  const failure = describeFailure(new TypeError("x is not a function\nsecond line"), logs, "start")
  const text = failureText(failure)
  expect(text).toBe(
    `error: bottle itself failed: x is not a function\n  hint: details are in ${join(logs, "crash.log")}\n`,
  )
  expect(failure.exitCode).toBe(1)
  const log = readFileSync(join(logs, "crash.log"), "utf8")
  expect(log).toContain("TypeError: x is not a function")
  expect(log).toContain("failure.test.ts")
  expect(statSync(join(logs, "crash.log")).mode & 0o777).toBe(0o600)
  expect(statSync(logs).mode & 0o777).toBe(0o700)
})

test("a crash log that cannot be written there goes to the temporary directory", () => {
  const blocked = join(dir, "file")
  writeFileSync(blocked, "")
  expect(describeFailure("thrown text", blocked, "start").hint).toMatch(/bottle-crash-\d+\.log$/)
})

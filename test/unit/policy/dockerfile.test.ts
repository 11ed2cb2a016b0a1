import { describe, expect, test } from "bun:test"
import { blastRadius, checkDockerfile, pinBases } from "../../../src/policy/dockerfile/check.ts"
import { parseDockerfile } from "../../../src/policy/dockerfile/parse.ts"
import { canonicalReference } from "../../../src/policy/dockerfile/reference.ts"
import type { ParsedDockerfile } from "../../../src/policy/dockerfile/types.ts"

function parsed(text: string, args: Record<string, string> = {}): ParsedDockerfile {
  const read = parseDockerfile(text, args)
  if (read.kind === "bad") throw new Error(`line ${read.line}: ${read.message}`)
  return read
}

describe("a Dockerfile", () => {
  test("is read into its stages, with ARGs filled in", () => {
    const text = [
      "# a comment",
      "ARG BASE_IMAGE=debian:12-slim",
      "from $BASE_IMAGE as Build",
      "RUN echo one \\",
      "  # a comment inside",
      "",
      "  && echo two",
      `FROM $\{BASE_IMAGE}`,
      "COPY --chown=1000:1000 --from=build /a /b",
      'COPY --from=0 ["/a", "/b"]',
      "USER node",
    ].join("\n")
    expect(parsed(text).stages).toEqual([
      { line: 3, name: "build", base: { kind: "image", reference: "debian:12-slim" } },
      { line: 8, base: { kind: "image", reference: "debian:12-slim" } },
    ])
    expect(parsed(text).copies.map(({ source }) => source)).toEqual([
      { kind: "stage", index: 0 },
      { kind: "stage", index: 0 },
    ])
    expect(parsed(text, { BASE_IMAGE: "mine:1" }).stages[1]?.base).toEqual({ kind: "image", reference: "mine:1" })
  })

  test("shows everything that brings something in or runs something", () => {
    const text =
      "FROM debian\nENV A=1\nRUN apt-get update && \\\n    apt-get install -y jq\nADD https://example.com/x /x\n"
    expect(blastRadius(parsed(text))).toEqual([
      { line: 1, name: "FROM", text: "debian" },
      { line: 3, name: "RUN", text: "apt-get update &&     apt-get install -y jq" },
      { line: 5, name: "ADD", text: "https://example.com/x /x" },
    ])
  })

  const refused: [name: string, text: string, line: number, message: RegExp][] = [
    ["an empty file", "", 1, /no FROM/],
    ["only comments", "# FROM debian\n", 1, /no FROM/],
    ["a syntax directive", "# syntax=evil/frontend\nFROM debian", 1, /directive/],
    ["a directive with blanks and capitals", "#  SYNTAX = evil/frontend\nFROM debian", 1, /directive/],
    ["an escape directive", "# escape=`\nFROM debian", 1, /directive/],
    ["a byte order mark", "\uFEFF# syntax=x\nFROM debian", 1, /invisible/],
    ["a JSON frontend", '{"syntax": "evil"}\nFROM debian', 1, /no instruction/],
    ["a frontend in a slash comment", "//syntax=evil\nFROM debian", 1, /no instruction/],
    ["an unknown instruction", "FROM debian\nINCLUDE evil", 2, /no instruction/],
    ["ONBUILD", "FROM debian\nONBUILD COPY --from=evil /a /b", 2, /ONBUILD/],
    ["an instruction before FROM", "RUN id\nFROM debian", 1, /before the first FROM/],
    ["a platform", "FROM --platform=linux/arm64 debian", 1, /flags/],
    ["a variable without a value", "FROM $BASE", 1, /variable/],
    ["a variable with a default", `FROM $\{BASE:-evil}`, 1, /plain way/],
    ["an escaped variable", "ARG A=x\nFROM \\$A", 2, /plain way/],
    ["a quoted image", 'FROM "debian"', 1, /plain way/],
    ["an ARG of two", "ARG A=debian B=evil\nFROM $A", 1, /one NAME/],
    ["an ARG made of another", "ARG A=debian\nARG B=$A\nFROM $B", 2, /one NAME/],
    ["an ARG twice", "ARG A=debian\nARG A=evil\nFROM $A", 2, /twice/],
    ["FROM with more words", "FROM debian AS a b", 1, /one image/],
    ["two stages of one name", "FROM debian AS a\nFROM debian AS A", 2, /one name/],
    ["a mount from an image", "FROM debian\nRUN --mount=type=bind,from=evil,target=/x id", 2, /flags of RUN/],
    ["a network of RUN's own", "FROM debian\nRUN --network=host id", 2, /flags of RUN/],
    ["a here-document", "FROM debian\nRUN <<EOF\nFROM evil\nEOF", 2, /here-documents/],
    ["a here-document further on", "FROM debian\nRUN cat <<-'E' && id", 2, /here-documents/],
    ["a here-document in COPY", "FROM debian\nCOPY <<EOF /x\na\nEOF", 2, /here-documents/],
    ["a flag in quotes", 'FROM debian\nCOPY --from="evil" /a /b', 2, /--name=value/],
    ["a flag with an escape", "FROM debian\nCOPY --fr\\om=evil /a /b", 2, /--name=value/],
    ["an end of flags", "FROM debian\nCOPY -- --from=evil /a /b", 2, /--name=value/],
    ["a flag twice", "FROM debian\nCOPY --from=debian --from=evil /a /b", 2, /twice/],
    ["a flag that hides another", "FROM debian\nCOPY --chown=--from=debian --from=debian a b", 2, /--name=value/],
    ["a variable in a flag", "FROM debian\nARG X=evil\nCOPY --from=$X /a /b", 3, /variables/],
    ["an unknown flag", "FROM debian\nCOPY --link --from=debian /a /b", 2, /--name=value/],
    ["a stage to come", "FROM debian\nCOPY --from=1 /a /b\nFROM debian", 2, /before this one/],
    ["its own stage", "FROM debian\nCOPY --from=0 /a /b", 2, /before this one/],
    ["an address in a variable", "FROM debian\nENV U=https://evil.example\nADD $U /x", 3, /variables in ADD/],
    ["a carriage return", "FROM debian\r\nRUN id", 1, /carriage return/],
    ["a NUL", "FROM debian\0", 1, /control/],
    ["a form feed for a blank", "FROM\fdebian", 1, /control/],
    ["a no-break space", "FROM debian\u00A0AS x", 1, /blank outside ASCII/],
    ["a line separator", "FROM debian\u2028FROM evil", 1, /blank outside ASCII/],
    ["a direction override", "FROM debian\nRUN echo \u202Efoo", 2, /invisible/],
    ["two backslashes at an end", "FROM debian\nRUN echo \\\\\nFROM evil", 2, /two backslashes/],
    ["an end in the middle", "FROM debian\nRUN id \\\n", 2, /continued/],
    ["an instruction with nothing", "FROM debian\nRUN", 2, /says nothing/],
    ["64 KiB and more", `FROM debian\nRUN echo ${"x".repeat(70_000)}`, 1, /KiB/],
  ]
  test.each(refused)("with %s is refused", (_name, text, line, message) => {
    const read = parseDockerfile(text)
    if (read.kind !== "bad") throw new Error("it was taken")
    expect(read.message).toMatch(message)
    expect(read.line).toBe(line)
  })
})

describe("a Dockerfile of an agent's", () => {
  const bases = ["debian:12-slim", `ghcr.io/org/tools@sha256:${"a".repeat(64)}`]

  const fine: [string, string][] = [
    ["a declared base, spelled in full", "FROM docker.io/library/debian:12-slim\nRUN id"],
    ["scratch", "FROM scratch\nCOPY --from=debian:12-slim /bin/ls /ls"],
    ["its own stages", "FROM debian:12-slim AS a\nFROM a AS b\nCOPY --from=A /x /x\nCOPY --from=0 /x /y"],
  ]
  test.each(fine)("may use %s", (_name, text) => {
    expect(checkDockerfile(parsed(text), bases)).toEqual({ kind: "ok" })
  })

  const refused: [string, string, number, RegExp][] = [
    ["another image", "FROM debian:12-slim\nRUN id\nFROM evil", 3, /evil, which is not a declared base/],
    ["another tag", "FROM debian", 1, /not a declared base/],
    ["another registry", "FROM evil.example/library/debian:12-slim", 1, /not a declared base/],
    ["a local image's files", "FROM debian:12-slim\nCOPY --from=bot-bottle/own:1 /a /b", 2, /not a declared base/],
    ["a stage that comes later", "FROM debian:12-slim\nCOPY --from=late /a /b\nFROM debian:12-slim AS late", 2, /late/],
    ["files of a context", "FROM debian:12-slim\nCOPY . /x", 2, /context/],
    ["what the engine fetches", "FROM debian:12-slim\nADD https://evil.example/x /x", 2, /fetch/],
    ["a repository", "FROM debian:12-slim\nADD git@evil.example:x.git /x", 2, /fetch/],
    ["scratch as a source", "FROM debian:12-slim\nCOPY --from=scratch / /x", 2, /nothing to copy/],
  ]
  test.each(refused)("may not use %s", (_name, text, line, message) => {
    const checked = checkDockerfile(parsed(text), bases)
    if (checked.kind !== "bad") throw new Error("it was taken")
    expect(checked.message).toMatch(message)
    expect(checked.line).toBe(line)
  })

  test("is built with ids in place of names, line by line", () => {
    const text =
      "ARG B=debian:12-slim\nFROM $B \\\n  # why\n  AS one\nRUN id\nCOPY --chown=1:1 \\\n --from=tool:1 /a /b\nFROM one\n"
    const pinned = pinBases(text, parsed(text), (name) => `sha256:${name}`)
    expect(pinned).toBe(
      "ARG B=debian:12-slim\nFROM sha256:debian:12-slim AS one\n\n\nRUN id\nCOPY --chown=1:1  --from=sha256:tool:1 /a /b\n\nFROM one\n",
    )
  })
})

describe("an image's name", () => {
  const id = "b".repeat(64)
  const same: [string, string][] = [
    ["debian", "docker.io/library/debian:latest"],
    ["index.docker.io/library/debian", "docker.io/library/debian:latest"],
    ["node:22", "docker.io/library/node:22"],
    ["org/tool", "docker.io/org/tool:latest"],
    ["localhost/x", "localhost/x:latest"],
    ["host:5000/x:1", "host:5000/x:1"],
    [`a.example/x:1@sha256:${id}`, `a.example/x@sha256:${id}`],
    [id, `sha256:${id}`],
  ]
  test.each(same)("%s is %s", (text, full) => expect(canonicalReference(text)).toBe(full))
  test.each(["", "Debian", "a b", "-x", "../x", "x:", "x@sha256:1", "$X", "a//b", "x:1:2"])("%p is none", (text) => {
    expect(canonicalReference(text)).toBeUndefined()
  })
})

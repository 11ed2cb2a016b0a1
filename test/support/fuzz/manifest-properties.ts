import { agentSchema } from "../../../src/manifest/schema/agent.ts"
import { checkDocument } from "../../../src/manifest/schema/check.ts"
import { readDocument } from "../../../src/manifest/source/document.ts"
import { splitFrontmatter } from "../../../src/manifest/source/frontmatter.ts"
import { expectTrue, mutate, type Property } from "./property.ts"

const files = [
  "---\nbottle: dev\n---\nBe careful.\n",
  "---\nbottle: [dev, more]\nskills: [one, two]\ndescription: text\ngit-gate:\n  user: {name: A B, email: a@b.test}\n---\n",
  '---\r\nbottle: "dev"\r\n---\r\nBody\r\n---\r\nmore',
]
const spices = [
  ...[
    "\n",
    "\r\n",
    "---\n",
    "---",
    "\t",
    "  ",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!js ",
    "!x ",
    "|\n",
    ">\n",
    "'",
    '"',
    "#",
    "?",
    "? ",
    "%YAML 1.1\n",
  ],
  ...[
    "__proto__: 1\n",
    "constructor: 1\n",
    "bottle: x\n",
    "env: {A: b}\n",
    "null",
    "~",
    "0x10",
    "1e999",
    "\0",
    "\x1b]0;x\x07",
    "\u202e",
    "\ud800",
    "\u2028",
    "ü",
    "@",
    "`",
    "$" + "{A}",
  ],
]

export const manifestProperties: readonly Property[] = [
  {
    name: "a repository's agent file is read, or refused with a place in it, and nothing of it becomes anything else",
    short: 3000,
    check(random) {
      const text = mutate(random, random.pick(files), spices, 8)
      const lines = text.split("\n").length
      const split = splitFrontmatter(text, 16 * 1024)
      if ("message" in split) return false
      const checked = checkDocument(readDocument(split.yaml, { firstLine: split.yamlLine }), agentSchema)
      if (checked.kind === "bad") {
        expectTrue("no problem named", checked.problems.length > 0)
        for (const { place, message } of checked.problems) {
          expectTrue(`line ${place.line} of ${lines}`, place.line >= 1 && place.line <= lines + 1 && place.col >= 1)
          expectTrue(
            `controls in ${JSON.stringify(message)}`,
            !/[\0-\x1f\x7f-\x9f]/.test(message) && message.length < 500,
          )
        }
        return false
      }
      const value = checked.value as Record<string, unknown>
      const known = ["bottle", "skills", "description", "git-gate"]
      for (const key of Object.keys(value)) expectTrue(`an unknown key ${key}`, known.includes(key))
      expectTrue("a changed prototype", Object.getPrototypeOf(value) === Object.prototype)
      return true
    },
  },
]

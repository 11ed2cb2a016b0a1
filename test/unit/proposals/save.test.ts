import { describe, expect, test } from "bun:test"
import { parseDocument } from "yaml"
import type { EgressPolicy, Route } from "../../../src/policy/types.ts"
import type { Change } from "../../../src/proposals/grants.ts"
import { appendToList } from "../../../src/proposals/save/append-yaml.ts"
import { planSave } from "../../../src/proposals/save/plan-save.ts"

const route: Route = { host: "new.test", scheme: "https", port: 443, matches: [{ methods: ["GET"] }] }
const change: Change = { kind: "route", route }
const policy: EgressPolicy = { routes: [], allowlist: [], log: 0, supervise: true }
const fileOf = (yaml: string, name = "dev") => ({
  path: `/b/${name}.md`,
  display: `bottles/${name}.md`,
  text: `---\n${yaml}\n---\n# text below: "egress:" stays\n`,
})

const forms: readonly [what: string, yaml: string][] = [
  ["a list in blocks", "egress:\n  routes:\n    - host: a.test # one\n    # after\nenv: {A: b}"],
  ["a list that is not indented", "egress:\n  routes:\n  - host: a.test\n  - host: b.test\n    port: 8443\n# end"],
  ["a list at the end", "egress:\n  routes:\n    - host: a.test"],
  [
    "a block scalar before the next key",
    "egress:\n  routes:\n    - host: a.test\n      ca: |\n        x\n        y\n  log: 1",
  ],
  ["a list in brackets", "egress: { log: 1, routes: [ {host: a.test} ] } # c"],
  ["brackets over lines", "egress:\n  routes: [\n    {host: a.test}, # one\n    {host: b.test} # two\n  ]\nenv: {}"],
  ["brackets with a comma at the end", "egress: {routes: [{host: a.test},]}"],
  ["an empty list", "egress:\n  routes: []\n  log: 2"],
  ["an empty value", "egress:\n  routes:\n  log: 2"],
  ["no routes", "egress:\n  log: 2 # two\n# c\nenv: {A: 1}"],
  ["no routes, in braces", "egress: {log: 2}\nenv: {}"],
  ["no egress", "env:\n  A: b   # spaces   "],
  ["an empty egress", "egress:\nenv: {}"],
  ["nothing but a comment", "# nothing"],
  ["windows line ends", "egress:\r\n  routes:\r\n    - host: a.test # x\r\nenv: {A: b}"],
]

describe("saving an approval", () => {
  test.each(forms)("into %s puts one entry in and leaves every other byte", async (_what, yaml) => {
    const file = fileOf(yaml)
    const planned = await planSave(change, policy, [file])
    if (planned.kind === "refused") throw new Error(planned.why)
    const { at, inserted } = planned.edit
    expect(planned.text).toBe(file.text.slice(0, at) + inserted + file.text.slice(at))
    const { egress } = parseDocument(planned.text.split("---")[1] ?? "").toJS()
    expect(egress.routes.at(-1)).toEqual({ host: "new.test", matches: [{ methods: ["GET"] }] })
  })

  test("repeats the credential of a known host, so that the entry can join it", async () => {
    const auth = { scheme: "Bearer", token_ref: "T" }
    const live = { ...policy, routes: [{ ...route, auth, matches: [{ methods: ["POST"] }] }] }
    const planned = await planSave(change, live, [fileOf("egress: {routes: []}")])
    expect(planned.kind === "save" && planned.text).toContain('auth: { scheme: "Bearer", token_ref: "T" }')
  })

  test("goes into the last file that has the list, and is refused where it would replace a parent's", async () => {
    const [base, child] = [fileOf("egress: {routes: []}", "base"), fileOf("extends: base", "child")]
    const planned = await planSave(change, policy, [base, child])
    expect(planned).toMatchObject({ kind: "save", edit: { path: "/b/base.md" } })
    expect(await planSave(change, policy, [fileOf("env: {}", "a"), child])).toMatchObject({ kind: "refused" })
  })

  test("of a host goes to the allowlist", async () => {
    const planned = await planSave({ kind: "host", host: "cdn.test" }, policy, [
      fileOf("pipelock:\n  allowlist: [a.test]"),
    ])
    expect(planned.kind === "save" && planned.text).toContain('allowlist: [a.test, "cdn.test"]')
  })

  test.each([
    "egress:\n  routes: *x\nenv: {}",
    "egress: text",
    "egress:\n  routes: {}",
    "a: [",
    "odd: 1\negress: {routes: []}",
  ])("into %j is refused", async (yaml) => {
    expect(await planSave(change, policy, [fileOf(yaml)])).toMatchObject({ kind: "refused" })
  })

  test("of one that is only once, or an edit, is none", async () => {
    const once: Change = { kind: "once", rule: { id: "d", route } }
    expect(await planSave(once, policy, [fileOf("egress: {routes: []}")])).toMatchObject({ kind: "refused" })
  })
})

test("an anchor's list, which stands in two places, is not added to", () => {
  expect(appendToList("a: &x [1]\nb: {c: *x}", ["b", "c"], "y")).toBeUndefined()
})

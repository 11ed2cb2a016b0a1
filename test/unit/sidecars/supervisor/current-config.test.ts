import { expect, test } from "bun:test"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"
import { writeCurrentConfig } from "../../../../sidecars/supervisor/current-config.ts"
import { parseAllowlist } from "../../../../src/policy/allowlist.ts"
import type { EgressPolicy } from "../../../../src/policy/types.ts"
import { tempDir } from "../../../support/temp.ts"

const policy: EgressPolicy = {
  routes: [
    {
      ...{ host: "api.example", scheme: "https", port: 443, connect_to: "10.0.0.1:1", ca: "PEM" },
      auth: { scheme: "Bearer", token_ref: "SLOT_NAME" },
      matches: [{ paths: [{ type: "prefix", value: "/v1" }] }],
    },
  ],
  allowlist: ["docs.example"],
  log: 0,
  supervise: true,
}

test("the agent's copy of the policy is readable by all, whole, and says nothing of secrets or places to dial", () => {
  const folder = tempDir("config")
  writeCurrentConfig(folder, policy)
  expect(readdirSync(folder).sort()).toEqual(["allowlist", "routes.yaml"])
  const routes = readFileSync(join(folder, "routes.yaml"), "utf8")
  expect(parse(routes)).toEqual({
    routes: [{ host: "api.example", path_allowlist: ["/v1"], auth: { scheme: "Bearer" } }],
  })
  expect(routes).not.toMatch(/SLOT_NAME|10\.0\.0\.1|PEM/)
  const allowlist = parseAllowlist(readFileSync(join(folder, "allowlist"), "utf8"))
  expect(allowlist).toEqual({ kind: "allowlist", hosts: ["docs.example"] })
  expect(statSync(join(folder, "routes.yaml")).mode & 0o777).toBe(0o644)
})

test("it follows a change, and has the Dockerfile where there is one", () => {
  const folder = tempDir("config")
  writeCurrentConfig(folder, policy, "FROM debian\n")
  writeCurrentConfig(folder, { ...policy, routes: [], allowlist: [] }, "FROM debian\n")
  expect(readFileSync(join(folder, "routes.yaml"), "utf8")).toContain("routes: []")
  expect(readFileSync(join(folder, "Dockerfile"), "utf8")).toBe("FROM debian\n")
})

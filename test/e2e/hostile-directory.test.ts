import { expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { basicEnv, bottle } from "../support/command.ts"
import { tempDir } from "../support/temp.ts"

/** A checked-out repository is the first thing that an attacker controls: bottle is started inside it. */

const dir = tempDir("hostile")
const repository = join(dir, "repository")
const home = join(dir, "home")
const marker = join(dir, "ran")
const evil = `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "")\nmodule.exports = {}\n`

mkdirSync(home)
for (const name of ["yaml", "zod", "citty", "@clack/prompts"]) {
  mkdirSync(join(repository, "node_modules", name), { recursive: true })
  writeFileSync(join(repository, "node_modules", name, "package.json"), JSON.stringify({ name, main: "index.js" }))
  writeFileSync(join(repository, "node_modules", name, "index.js"), evil)
}
writeFileSync(join(repository, "evil.js"), evil)
writeFileSync(join(repository, "bunfig.toml"), 'preload = ["./evil.js"]\n[run]\npreload = ["./evil.js"]\n')
writeFileSync(
  join(repository, ".env"),
  `BOT_BOTTLE_HOME=${dir}/stolen\nVISUAL=touch ${marker}\nBUN_OPTIONS=--preload=./evil.js\n`,
)
writeFileSync(join(repository, "tsconfig.json"), '{"compilerOptions":{"paths":{"*":["./evil.js"]}}}')
writeFileSync(
  join(repository, "package.json"),
  '{"name":"x","imports":{"#x":"./evil.js"},"scripts":{"preinstall":"node evil.js"}}',
)

const env = basicEnv({ HOME: home, EDITOR: "true" })

test.each([
  ["--version"],
  ["init"],
  ["list agents"],
  ["info claude"],
  ["edit claude"],
  ["schema bottle"],
  ["doctor"],
  ["guest"],
])("bottle %s runs and reads nothing of the directory it is started in", async (line) => {
  await bottle(line.split(" "), { cwd: repository, env })
  expect(existsSync(marker)).toBe(false)
  expect(existsSync(join(dir, "stolen"))).toBe(false)
})

test("what bottle starts does not get the variables that would change what a Bun program is", async () => {
  const seen = join(dir, "environment")
  const script = join(dir, "editor.sh")
  writeFileSync(script, `env > "${seen}"\n`)
  await bottle(["init", "--agent", "other", "--bottle", "other"], { env })
  const inherited = {
    BUN_OPTIONS: "--smol",
    NODE_OPTIONS: "--no-warnings",
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    KEPT: "yes",
  }
  const { code, stderr } = await bottle(["edit", "agents/other"], {
    env: { ...env, ...inherited, EDITOR: `sh ${script}` },
  })
  expect({ code, stderr: stderr.slice(0, 9) }).toEqual({ code: 0, stderr: "unchanged" })
  const names = readFileSync(seen, "utf8")
    .split("\n")
    .map((line) => line.split("=")[0])
  expect(names).toContain("KEPT")
  for (const name of ["BUN_OPTIONS", "NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED"]) expect(names).not.toContain(name)
})

test("doctor says which of them were set", async () => {
  const { stdout } = await bottle(["doctor"], { env: { ...env, BUN_OPTIONS: "--smol" } })
  expect(stdout).toMatch(/warn +environment +BUN_OPTIONS set where bottle was started/)
})

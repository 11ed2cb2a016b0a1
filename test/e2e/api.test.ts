import { afterEach, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type RunResult, root, run } from "../support/command.ts"
import { makePlace, placeBinary, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

/** BEHAVIOUR 11, line by line: a script that imports the package, run by Bun and by Node. */

const here = requirePart("binary") && requirePart("bwrap")
const runtimes = [["Bun", process.execPath], ...(requirePart("node") ? [["Node", Bun.which("node") ?? ""]] : [])]

for (const [runtime = "", program = ""] of here ? runtimes : []) {
  describe(`the API, imported by ${runtime},`, () => {
    const place = makePlace(whos[0] ?? "user")
    beforeAll(() => {
      place.writeBottle("dev", "agent_provider: {template: command}")
      place.writeBottle("extra", "env: {EXTRA: from-extra}")
      place.writeAgent("builder", "bottle: dev")
      const packages = join(place.work, "node_modules")
      mkdirSync(packages)
      symlinkSync(root, join(packages, "bot-bottle"))
      place.writeWork("package.json", '{"type": "module"}')
    })
    afterEach(async () => {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })

    /** Run a script of the caller's, which sees what the call became as `outcome(promise)`. */
    async function script(body: string): Promise<{ out: unknown[]; result: RunResult }> {
      const file = join(place.work, "script.mjs")
      const binary = JSON.stringify(placeBinary(place))
      const head = `import { BottleError, destroy, freeze, list, resumeHeadless, startHeadless } from "bot-bottle"
const host = { binary: ${binary} }
const said = []
const outcome = (promise) => promise.then((value) => ({ value }), (error) => {
  const { code, exitCode, hint, slug, message } = error
  return { known: error instanceof BottleError, code, exitCode, hint: typeof hint, slug, message }
})
`
      const tail = "\nconst fs = await import('node:fs')\nfs.writeFileSync('out.json', JSON.stringify(said))\n"
      writeFileSync(file, head + body + tail, { mode: 0o644 })
      chmodSync(place.work, 0o777)
      const result = await run(place.who === "user" ? place.as([program, file]) : [program, file], {
        cwd: place.work,
        env: place.env,
        timeout: 240_000,
      })
      expect(result).toEqual({ code: 0, stdout: "", stderr: "" })
      return { out: JSON.parse(readFileSync(join(place.work, "out.json"), "utf8")) as unknown[], result }
    }

    test("startHeadless resolves with the slug once the agent has ended; nothing is printed", async () => {
      place.writeWork("note.txt", "copied")
      const { out } = await script(`
const parts = []
const argv = ["sh", "-c", "echo out; echo err >&2; echo $EXTRA; cat note.txt"]
const options = { ...host, argv, bottles: ["dev", "extra"], label: "my label", color: "green", copyCwd: true, cwd: process.cwd(),
  backend: "namespace", onOutput: (chunk, stream) => parts.push([stream, Buffer.from(chunk).toString()]) }
const slug = await startHeadless("builder", options)
const text = (stream) => parts.filter(([name]) => name === stream).map(([, part]) => part).join("")
said.push(slug, text("stdout"), text("stderr"), await list(host))`)
      expect(out[0]).toMatch(/^my-label-[a-z0-9]{5}$/)
      expect(out.slice(1, 3)).toEqual(["out\nfrom-extra\ncopied", "err\n"])
      const row = { slug: out[0], agent: "builder", bottles: ["dev", "extra"], label: "my label", color: "green" }
      expect(out[3]).toMatchObject([{ ...row, backend: "namespace", state: "stopped", provider: "command" }])
    }, 300_000)

    test("an agent's own exit code rejects with it and names the bottle, which is kept", async () => {
      const { out } = await script(`
said.push(await outcome(startHeadless("builder", { ...host, argv: ["sh", "-c", "exit 42"] })), await list(host))`)
      expect(out[0]).toMatchObject({ known: true, code: "agent-exit", exitCode: 42, hint: "string" })
      expect(out[1]).toMatchObject([{ slug: (out[0] as { slug: string }).slug, state: "stopped" }])
    }, 300_000)

    test("every other failure has exit code 1 and makes nothing", async () => {
      const { out } = await script(`
const argv = ["true"]
const tries = [
  ["nobody", { argv }], ["builder", { argv, bottles: ["none"] }], ["builder", { argv, backend: "qemu" }],
  ["builder", { argv, backend: "nowhere" }], ["builder", { argv, color: "pink" }], ["builder", { argv, label: "x".repeat(65) }],
  ["builder", { prompt: "not taken" }], ["builder", { argv, forgeEnv: { TOKEN: "value" } }], ["builder", { argv, cwd: "relative" }],
  ["builder", { argv, binary: "/nonexistent" }], ["builder", { argv, binary: "/bin/true" }],
]
for (const [agent, options] of tries) {
  const { known, exitCode, code, hint } = await outcome(startHeadless(agent, { ...host, ...options }))
  said.push([known, exitCode, code, hint])
}
said.push(await list(host))`)
      const codes = ["unknown-agent", "unknown-bottle", "backend", "bad-option", "bad-option", "label"].concat([
        "prompt-not-taken",
        "unbuilt",
        "bad-option",
        "binary",
        "binary",
      ])
      expect(out.slice(0, -1)).toEqual(codes.map((code) => [true, 1, code, code === "label" ? "undefined" : "string"]))
      expect(out.at(-1)).toEqual([])
      expect(place.states()).toEqual([])
    }, 300_000)

    test("resumeHeadless goes on under the same slug where it ran before, and rejects an unknown one", async () => {
      const { out } = await script(`
const argv = ["sh", "-c", "echo again >> runs; wc -l < runs"]
const slug = await startHeadless("builder", { ...host, argv })
const parts = []
said.push(slug, await resumeHeadless(slug, { ...host, onOutput: (chunk) => parts.push(Buffer.from(chunk).toString()) }), parts.join(""))
said.push((await list(host)).map(({ backend }) => backend))
said.push(await outcome(resumeHeadless("gone-abcde", host)), await outcome(resumeHeadless("../../etc", host)))
said.push(await outcome(resumeHeadless(slug, { ...host, forgeEnv: { A: "b" } })))`)
      expect(out[1]).toBe(out[0])
      expect(out.slice(2, 4)).toEqual(["2\n", ["namespace"]])
      for (const one of out.slice(4, 6)) expect(one).toMatchObject({ code: "unknown-bottle", exitCode: 1 })
      expect(out[6]).toMatchObject({ code: "unbuilt", exitCode: 1 })
    }, 300_000)

    test("freeze keeps the bottle whole; one that is declined rejects and changes nothing", async () => {
      const { out } = await script(`
const slug = await startHeadless("builder", { ...host, argv: ["sh", "-c", "if [ -e kept ]; then cat kept; else echo kept > kept; fi"] })
const asked = []
said.push(await outcome(freeze(slug, { ...host, confirm: (bottle) => { asked.push(bottle.slug === slug); return false } })))
said.push(asked, (await list(host)).map(({ state }) => state))
said.push(await freeze(slug, host), await freeze(slug, host), (await list(host)).map(({ state }) => state))
const parts = []
await resumeHeadless(slug, { ...host, onOutput: (chunk) => parts.push(Buffer.from(chunk).toString()) })
said.push(parts.join(""), await outcome(freeze("gone-abcde", host)))`)
      expect(out[0]).toMatchObject({ known: true, code: "cancelled", exitCode: 1 })
      expect(out.slice(1, 3)).toEqual([[true], ["stopped"]])
      expect(out[3]).toMatchObject({ changed: true })
      expect(out.slice(4, 7)).toEqual([{ changed: false }, ["frozen"], "kept\n"])
      expect(out[7]).toMatchObject({ code: "unknown-bottle", exitCode: 1 })
    }, 300_000)

    test("destroy removes what there is and resolves for a slug that nobody knows", async () => {
      const { out } = await script(`
const slug = await startHeadless("builder", { ...host, argv: ["true"] })
said.push(await list(host).then((rows) => rows.length))
for (const name of [slug, slug, "gone-abcde", "../../etc", ""]) said.push(await outcome(destroy(name, host)))
said.push(await list(host))`)
      expect(out).toEqual([1, ...Array(5).fill({}), []])
      expect(place.states()).toEqual([])
    }, 300_000)

    test("an abort, or the end of the program, ends the session and keeps the bottle", async () => {
      const { out } = await script(`
const ending = new AbortController()
const options = { ...host, argv: ["sh", "-c", "echo up; sleep 300"], signal: ending.signal, onOutput: () => ending.abort() }
said.push(await outcome(startHeadless("builder", options)))
said.push(await outcome(startHeadless("builder", options)))`)
      for (const one of out) expect(one).toMatchObject({ known: true, code: "aborted", exitCode: 1 })
      const rows = async () => JSON.parse((await place.bottle(["list", "--json"])).stdout).active
      const [row] = await waitFor("the bottle to rest", async () => {
        const all = await rows()
        return all[0]?.state === "stopped" ? all : undefined
      })
      expect(row.reasons.join()).toContain("its client went away")
      expect(await rows()).toHaveLength(1)
    }, 300_000)
  })
}

describe.skipIf(!here)("the README's example of the API", () => {
  const place = makePlace("root")
  test("runs as it stands", async () => {
    const readme = readFileSync(join(root, "README.md"), "utf8")
    const [, example = ""] = /```js\n(import [\s\S]*?)```/.exec(readme) ?? []
    // An agent called claude that says what it is asked.
    const cli = join(place.dir, "greeter")
    writeFileSync(cli, '#!/bin/sh\necho "asked: $1"\n', { mode: 0o755 })
    const contrib = join(place.botHome, "contrib", "greeter")
    mkdirSync(contrib, { recursive: true })
    const yaml = "command: {program: greeter}\nargs: [x]\nheadless: ['{prompt}']\nheadless_resume: ['{prompt}']\n"
    writeFileSync(join(contrib, "provider.yaml"), yaml)
    place.writeBottle("dev", "agent_provider: {template: greeter}")
    place.writeAgent("claude", "bottle: dev")
    mkdirSync(join(place.work, "node_modules"))
    symlinkSync(root, join(place.work, "node_modules", "bot-bottle"))
    place.writeWork("package.json", '{"type": "module"}')
    place.writeWork("example.js", example)
    const env = { ...place.env, PATH: `${place.dir}:${place.env.PATH}` }
    const result = await run([process.execPath, "example.js"], { cwd: place.work, env })
    expect(result).toMatchObject({ code: 0, stderr: "" })
    expect(result.stdout).toStartWith("asked: Run the tests and say what fails.\n")
    expect(result.stdout).toMatch(/claude-\w{5} stopped/)
    expect(place.states()).toEqual([])
  }, 300_000)
})

describe.skipIf(!here)("the package's types", () => {
  test("serve a program that is checked strictly, without ours", async () => {
    const place = makePlace("root")
    mkdirSync(join(place.work, "node_modules"))
    symlinkSync(root, join(place.work, "node_modules", "bot-bottle"))
    place.writeWork("package.json", '{"type": "module"}')
    place.writeWork(
      "use.ts",
      `import { BottleError, list, startHeadless } from "bot-bottle"
const slug: string = await startHeadless("a", { prompt: "x", bottles: ["b"], color: "green" })
const states: readonly string[] = (await list()).map(({ state }) => state)
export const code = (error: unknown): number => (error instanceof BottleError ? error.exitCode : states.length + slug.length)
// @ts-expect-error
await startHeadless(1)
`,
    )
    const tsc = [process.execPath, join(root, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict"]
    const flags = ["--module", "nodenext", "--target", "es2022", "--types", "", "use.ts"]
    const result = await run([...tsc, ...flags], { cwd: place.work })
    expect(result).toEqual({ code: 0, stdout: "", stderr: "" })
  }, 300_000)
})

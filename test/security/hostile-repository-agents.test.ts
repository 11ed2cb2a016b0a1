import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, ftruncateSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { makePlace, whos } from "../support/place.ts"
import { giveTo, put } from "../support/repository/evil.ts"
import { requirePart } from "../support/require.ts"

/** SECURITY 23: agent files that a repository ships may suggest; they cannot choose, ask for more, or lead out. */

const here = requirePart("binary") && requirePart("bwrap")
const canary = "CANARY-OUTSIDE-THE-REPOSITORY"

for (const who of here ? whos : []) {
  describe(`agent files of a repository, for ${who}`, () => {
    const place = makePlace(who)
    const repository = place.work

    beforeEach(() => {
      rmSync(repository, { recursive: true, force: true })
      mkdirSync(repository)
      place.writeBottle("dev", "agent_provider: {template: command}")
      place.writeBottle("strict", "agent_provider: {template: command}")
      put(join(place.home, ".ssh", "id_ed25519"), canary)
      own()
    })
    afterEach(async () => {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })
    function own(): void {
      giveTo(place, place.home, repository)
      chmodSync(repository, 0o755)
    }

    const agent = (name: string, text: string) => put(join(repository, ".bot-bottle", "agents", `${name}.md`), text)

    const greedy: [string, string, number, string][] = [
      ["binds", "---\nbottle: dev\nnamespace: {binds: [{source: /etc, target: /etc}]}\n---\n", 3, ":3:1 namespace"],
      ["extends", "---\nbottle: dev\nextends: dev\n---\n", 3, ":3:1 extends"],
      ["env", "---\nbottle: dev\nenv: {TOKEN: secret}\n---\n", 3, ":3:1 env"],
      ["egress", "---\nbottle: dev\negress: {routes: [{host: evil.test}]}\n---\n", 3, ":3:1 egress"],
      ["provider", "---\nbottle: dev\nagent_provider: {template: command}\n---\n", 3, ":3:1 agent_provider"],
      ["limits", "---\nbottle: dev\nlimits: {}\n---\n", 3, ":3:1 limits"],
      ["traversing", "---\nbottle: ../../home/.bot-bottle/bottles/dev\n---\n", 3, "bottle"],
      ["elsewhere", "---\nbottle: shipped\n---\n", 5, 'unknown bottle "shipped"'],
    ]
    test.each(greedy)("cannot ask for more: %s", async (name, text, code, words) => {
      agent(name, text)
      put(join(repository, ".bot-bottle", "bottles", "shipped.md"), "---\nagent_provider: {template: command}\n---\n")
      own()
      const result = await place.bottle(["start", name, "--dry-run", "--", "true"])
      expect(result.stderr).toContain(words)
      expect(result.code).toBe(code)
      expect(place.states()).toEqual([])
    })

    test("suggest a bottle and do not choose it", async () => {
      agent("helper", "---\nbottle: dev\n---\nBe helpful.\n")
      own()
      const headless = await place.bottle(["start", "helper", "--headless", "--", "true"])
      expect(headless.stderr).toContain("may suggest a bottle but not choose it")
      expect(headless.code).toBe(2)
      const shown = await place.bottle(["start", "helper", "--dry-run", "--", "true"])
      expect(shown.stderr).toMatch(/FROM\s+THIS\s+REPOSITORY/)
      expect(shown.stderr).toMatch(/sha256 [0-9a-f]{12}/)
      const said = await place.bottle(["start", "helper", "--headless", "--bottle", "strict", "--", "true"])
      expect({ code: said.code, error: /error: .*/.exec(said.stderr)?.[0] }).toEqual({ code: 0, error: undefined })
    })

    test("do not stand for an agent of the operator's", async () => {
      place.writeAgent("mine", "bottle: strict")
      agent("mine", "---\nbottle: dev\n---\n")
      own()
      const { stdout } = await place.bottle(["start", "mine", "--dry-run", "--json", "--", "true"])
      expect(JSON.parse(stdout)).toMatchObject({ bottles: ["strict"], agent: { origin: { scope: "home" } } })
    })

    const kinds: [string, (path: string) => void][] = [
      ["a FIFO", (path) => void Bun.spawnSync(["mkfifo", path])],
      ["a link to a file outside", (path) => symlinkSync(join(place.home, ".ssh", "id_ed25519"), path)],
      ["a link to a device", (path) => symlinkSync("/dev/zero", path)],
      ["a link to a terminal", (path) => symlinkSync("/dev/tty", path)],
      ["a directory", (path) => mkdirSync(path)],
      ["a sparse terabyte", (path) => ftruncateSync(openSync(path, "w"), 2 ** 40)],
      ["a link to itself", (path) => symlinkSync("evil.md", path)],
      ["binary", (path) => writeFileSync(path, Buffer.from([0xff, 0, 0xfe]))],
      ["brackets without end", (path) => writeFileSync(path, `---\na: ${"[".repeat(15_000)}\n---\n`)],
      [
        "a bomb of aliases",
        (path) => {
          const levels = Array.from({ length: 30 }, (_, at) => `k${at}: &a${at} [${`*a${at - 1},`.repeat(9)}]`)
          writeFileSync(path, `---\nk: &a-1 [x]\n${levels.join("\n")}\n---\n`)
        },
      ],
    ]
    test.each(kinds)("are read or refused in time when one is %s", async (_, make) => {
      agent("good", "---\nbottle: dev\n---\n")
      make(join(repository, ".bot-bottle", "agents", "evil.md"))
      own()
      for (const args of [
        ["list", "agents"],
        ["info", "evil"],
        ["start", "evil", "--dry-run", "--", "true"],
      ]) {
        const result = await place.bottle(args)
        expect(result.code).not.toBe(128)
        expect(result.code === 0).toBe(args[0] === "list")
        expect(result.stdout + result.stderr).not.toContain(canary)
        expect(result.stderr).not.toContain("bottle itself failed")
      }
      expect((await place.bottle(["list", "agents"])).stdout).toContain("good")
    })

    test.each([".bot-bottle", ".bot-bottle/agents"])("are not read where %s is a link", async (level) => {
      const elsewhere = join(place.home, "elsewhere")
      put(join(elsewhere, "agents", "evil.md"), `---\nbottle: dev\n---\n${canary}\n`)
      put(join(elsewhere, "evil.md"), `---\nbottle: dev\n---\n${canary}\n`)
      mkdirSync(dirname(join(repository, level)), { recursive: true })
      symlinkSync(elsewhere, join(repository, level))
      own()
      for (const args of [
        ["list", "agents"],
        ["info", "evil"],
        ["start", "evil", "--dry-run", "--", "true"],
      ]) {
        const result = await place.bottle(args)
        expect(result.stdout + result.stderr).not.toContain(canary)
        expect(result.stdout).not.toContain("evil ")
      }
      rmSync(elsewhere, { recursive: true })
    })
  })
}

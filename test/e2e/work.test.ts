import { beforeAll, describe, expect, test } from "bun:test"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { makePlace, whos } from "../support/place.ts"
import { git, put } from "../support/repository/evil.ts"
import { identity, makeRepository, runIn } from "../support/repository/plain.ts"
import { requirePart } from "../support/require.ts"

const here = ["binary", "bwrap", "git"].every(requirePart)

for (const who of here ? whos : []) {
  describe(`the agent's work, as ${who}`, () => {
    const place = makePlace(who)
    let repo = ""
    beforeAll(async () => {
      place.writeBottle("dev", "agent_provider: {template: command}")
      repo = await makeRepository(place)
      put(join(repo, "b"), "two\ndirty\n")
    })

    test("diff shows what the agent changed, and not what the operator had changed before", async () => {
      const slug = await runIn(place, repo, "echo more >> a; rm b; echo new > new; echo x > x.log; mkfifo pipe")
      const patch = await place.bottle(["diff", slug])
      expect(patch.stdout).toContain("+more\n")
      expect(patch.stdout).toContain("-two\n-dirty\n")
      expect(patch.stdout).toContain("+++ b/new\n")
      expect(patch.stdout).not.toContain("x.log")
      expect(patch.stderr).toContain("1 file that git would ignore (--ignored)")
      expect(patch.stderr).toContain("pipe")
      expect((await place.bottle(["diff", slug, "--name-only"])).stdout).toBe("a\nb\nnew\n")
      expect((await place.bottle(["diff", slug, "--stat", "--ignored"])).stdout).toContain("4 files changed")
      const { files, ignored } = JSON.parse((await place.bottle(["diff", slug, "--json"])).stdout)
      expect({ files, ignored }).toEqual({
        ignored: 1,
        files: [
          { path: "a", status: "modified", added: 1, removed: 0 },
          { path: "b", status: "deleted", added: 0, removed: 2 },
          { path: "new", status: "added", added: 1, removed: 0 },
        ],
      })
      const applied = await git(place, repo, "apply", "--numstat", await writePatch(patch.stdout))
      expect(applied).toBe("1\t0\ta\n0\t2\tb\n1\t0\tnew\n")
    }, 300_000)

    async function writePatch(text: string): Promise<string> {
      const path = join(place.dir, "patch")
      await Bun.write(path, text)
      return path
    }

    test("diff works on a bottle that was started empty, and says when nothing is changed", async () => {
      const argv = ["start", "--headless", "--bottle", "dev", "--", "sh", "-c", "echo made > made; exit 3"]
      const before = place.states()
      await place.bottle(argv)
      const slug = place.states().find((name) => !before.includes(name)) ?? ""
      expect((await place.bottle(["diff", slug])).stdout).toContain("+made\n")
      const same = await runIn(place, repo, "exit 3")
      expect(await place.bottle(["diff", same])).toMatchObject({
        code: 0,
        stdout: "",
        stderr: `${same}: nothing is changed\n`,
      })
    }, 300_000)

    test("nested repositories are copied with their files and history, and compared", async () => {
      const outer = await makeRepository(place, "outer")
      await makeRepository(place, "outer/inner")
      const slug = await runIn(place, outer, "git -C inner log --oneline | wc -l; echo more >> inner/a; exit 3")
      const { stdout } = await place.bottle(["diff", slug])
      expect(stdout).toContain("+++ b/inner/a\n@@ -1 +1,2 @@\n one\n+more\n")
    }, 300_000)

    test("pull brings commits to refs of their own and touches nothing else; pulled work is not kept", async () => {
      const work = `${identity}; echo 2 >> a; git commit -qm second a; git checkout -qb side; echo s > s; git add s; git commit -qm side s; exit 3`
      const slug = await runIn(place, repo, work)
      const before = await git(place, repo, "status", "--porcelain=v2", "--branch")
      const pulled = await place.bottle(["pull", slug], { cwd: place.home })
      expect(pulled.code, pulled.stderr).toBe(0)
      expect(pulled.stderr).toContain(`git merge bottle/${slug}/side`)
      expect(pulled.stderr).toContain(`1 file is not committed`)
      expect(await git(place, repo, "log", "--format=%s", `refs/bottle/${slug}/side`)).toBe("side\nsecond\nfirst\n")
      expect(await git(place, repo, "status", "--porcelain=v2", "--branch")).toBe(before)
      expect(await git(place, repo, "fsck", "--strict")).toBe("")
      const again = JSON.parse((await place.bottle(["pull", slug, "--wip", "--json"], { cwd: place.home })).stdout)
      expect(again).toMatchObject({ into: repo, uncommitted: 0, complete: true, skipped: [] })
      expect(again.refs.map(({ name }: { name: string }) => name)).toEqual(["side", "main", "WIP"])
      expect(await git(place, repo, "show", `refs/bottle/${slug}/WIP:b`)).toBe("two\ndirty\n")
      const resumed = await place.bottle(["resume", slug, "--headless"], { cwd: repo })
      expect(resumed.code).toBe(3)
    }, 300_000)

    test("a clean end after everything was pulled leaves nothing; work after the pull is kept", async () => {
      for (const [after, kept] of [
        ["", false],
        ["echo later >> a; ", true],
      ] as const) {
        const clean = await makeRepository(place, `clean-${kept}`)
        const wait = "touch /tmp/ready; while [ ! -e /tmp/go ]; do sleep 0.05; done"
        const script = `${identity}; echo 2 >> a; git commit -qm second a; ${wait}; ${after}exit 0`
        const argv = ["start", "--headless", "--cwd", "--bottle", "dev", "--", "sh", "-c", script]
        const seen = new Set(place.states())
        const running = place.bottle(argv, { cwd: clean })
        let slug = ""
        for (let tries = 0; tries < 600; tries += 1) {
          slug = place.states().find((name) => !seen.has(name)) ?? ""
          if (slug !== "" && (await place.bottle(["exec", slug, "--", "test", "-e", "/tmp/ready"])).code === 0) break
          await Bun.sleep(50)
        }
        const pulled = await place.bottle(["pull", slug], { cwd: place.home })
        expect(pulled.stderr).toContain("all work is pulled")
        await place.bottle(["exec", slug, "--", "touch", "/tmp/go"])
        expect((await running).code).toBe(0)
        expect(place.states().includes(slug)).toBe(kept)
      }
    }, 300_000)

    test("pull says what it cannot do, and changes nothing", async () => {
      const slug = await runIn(place, repo, "rm -rf .git; exit 3")
      const none = await place.bottle(["pull", slug])
      expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("holds no git repository")])
      const other = await runIn(place, repo, `${identity}; git commit -qm x --allow-empty; exit 3`)
      const nowhere = await place.bottle(["pull", other, "--into", place.home])
      expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("no git repository at")])
      const unknown = await place.bottle(["pull", other, "--branch", "nope"])
      expect([unknown.code, unknown.stderr]).toEqual([5, expect.stringContaining('no branch "nope"')])
      const large = await place.bottle(["pull", other, "--max-size", "0.001k"])
      expect([large.code, large.stderr]).toEqual([1, expect.stringContaining("--max-size")])
      expect(await git(place, repo, "for-each-ref", `refs/bottle/${other}`)).toBe("")
      expect((await place.bottle(["pull", "nope-12345"])).code).toBe(5)
      expect((await place.bottle(["diff", "nope-12345"])).code).toBe(5)
    }, 300_000)

    test("pull into another repository brings the whole history along", async () => {
      const slug = await runIn(place, repo, `${identity}; git commit -qm x --allow-empty; exit 3`)
      const other = join(place.work, "other")
      rmSync(other, { recursive: true, force: true })
      Bun.spawnSync(place.as(["git", "init", "-q", other]), { env: place.env })
      const pulled = await place.bottle(["pull", slug, "--into", other])
      expect(pulled.code, pulled.stderr).toBe(0)
      expect(await git(place, other, "log", "--format=%s", `refs/bottle/${slug}/main`)).toBe("x\nfirst\n")
    }, 300_000)
  })
}

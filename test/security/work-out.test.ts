import { beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { run } from "../support/command.ts"
import { makePlace, whos } from "../support/place.ts"
import { filesHolding, git, giveTo, makeEvil, put } from "../support/repository/evil.ts"
import { identity, makeRepository, runIn } from "../support/repository/plain.ts"
import { freshRepository, tricks } from "../support/repository/tricks.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

/** SECURITY 8, 9: what an agent leaves in its workspace, for whoever looks at it, takes its commits or copies it out. */

const here = ["binary", "bwrap", "git"].every(requirePart)
const canary = "CANARY-OUTSIDE-THE-BOTTLE"

for (const who of here ? whos : []) {
  describe(`work on its way out, started by ${who}`, () => {
    const place = makePlace(who)
    const writable = join(place.dir, "writable")
    const ran = join(writable, "ran")
    const program = join(place.dir, "run.sh")
    let slug = ""

    beforeAll(async () => {
      mkdirSync(writable)
      chmodSync(writable, 0o777)
      put(program, `#!/bin/sh\necho "$0 $*" >> ${ran}\necho HOSTILE-OUTPUT\n`, 0o755)
      put(join(place.home, ".ssh", "id_ed25519"), canary)
      giveTo(place, place.home)
      place.writeBottle("dev", "agent_provider: {template: command}")
      const argv = ["start", "--headless", "--bottle", "dev", "--", "sleep", "600"]
      void place.bottle(argv, { timeout: 600_000 })
      slug = await waitFor("a bottle", () => place.states()[0])
      await waitFor("its agent", async () => (await inside("true")).code === 0)
    }, 300_000)
    beforeEach(() => rmSync(ran, { force: true }))
    const inside = (script: string) => place.bottle(["exec", slug, "--", "sh", "-c", `RUN=${program}; ${script}`])

    /** The agent's workspace as plain tools would get it; returns its directory. */
    function plainCopy(): string {
      const dir = join(writable, "plain")
      rmSync(dir, { recursive: true, force: true })
      cpSync(join(place.botHome, "state", slug, "fs", "workspace"), dir, { recursive: true, verbatimSymlinks: true })
      giveTo(place, dir)
      return dir
    }

    const hasRun = () => (existsSync(ran) ? readFileSync(ran, "utf8") : "")

    async function emptyRepository(name: string): Promise<string> {
      const dir = join(place.work, name)
      rmSync(dir, { recursive: true, force: true })
      await run(place.as(["git", "init", "-q", dir]), { env: place.env })
      return dir
    }

    // Once is enough for what takes place in the sandbox, whoever made it.
    test.each(who === whos[0] ? tricks.map((trick) => [trick.name, trick] as const) : [])(
      "%s runs with plain git, and not with diff, pull or cp",
      async (_name, trick) => {
        const planted = await inside(`set -e; cd /workspace; ${freshRepository}; ${trick.plant}`)
        expect(planted.code, planted.stderr).toBe(0)
        await git(place, plainCopy(), ...trick.plain)
        expect(hasRun(), "plain git runs it").not.toBe("")
        rmSync(ran)

        const into = await emptyRepository("into")
        const pulled = await place.bottle(["pull", slug, "--into", into, "--wip"])
        if (trick.refused === undefined) {
          expect(pulled.code, pulled.stderr).toBe(0)
          expect(await git(place, into, "show", `refs/bottle/${slug}/main:file`)).toBe("one\n")
        } else expect([pulled.code === 0, pulled.stderr]).toEqual([false, expect.stringContaining(trick.refused)])
        const patch = await place.bottle(["diff", slug, "--ignored"])
        expect(patch.code, patch.stderr).toBe(0)
        expect(patch.stdout).toContain("+one\n")
        expect(patch.stdout + patch.stderr + pulled.stdout + pulled.stderr).not.toContain("HOSTILE-OUTPUT")
        const out = join(place.work, "out")
        rmSync(out, { recursive: true, force: true })
        expect((await place.bottle(["cp", `${slug}:.`, out])).code).toBe(0)
        expect(readdirSync(out)).not.toContain(".git")
        expect(hasRun()).toBe("")
      },
      300_000,
    )

    test("replacements, grafts, alternates and odd refs of the workspace's change nothing here", async () => {
      const planted = await inside(`set -e; cd /workspace; ${freshRepository}
echo hidden > file; git commit -qam hidden; echo shown > file; git commit -qam shown
git replace HEAD HEAD~1; echo "$(git rev-parse HEAD)" > .git/info/grafts
echo /home/${who}/.git/objects > .git/objects/info/alternates; echo ${place.home} >> .git/objects/info/alternates
for name in -x --upload-pack=x 'refs/../../x' "$(printf 'esc\\033[31m')" "$(printf 'bi\\342\\200\\256di')" Main MAIN; do
  git rev-parse HEAD > ".git/refs/heads/$name" 2>/dev/null || true; done
printf '%s refs/heads/two\\nlines\\n' "$(git rev-parse HEAD)" >> .git/packed-refs
printf 'ref: refs/heads/main\\n' > .git/refs/heads/symbolic; echo nonsense > .git/refs/heads/broken
ln -s ${place.home}/.ssh/id_ed25519 .git/refs/heads/key; mkfifo .git/refs/heads/pipe`)
      expect(planted.code, planted.stderr).toBe(0)
      const into = await emptyRepository("odd")
      const pulled = await place.bottle(["pull", slug, "--into", into])
      expect(pulled.code, pulled.stderr).toBe(0)
      expect(pulled.stdout + pulled.stderr).not.toMatch(/\x1b|\u202e/)
      const refs = (await git(place, into, "for-each-ref", "--format=%(refname)")).split("\n").filter(Boolean)
      expect(refs.every((ref) => ref.startsWith(`refs/bottle/${slug}/`))).toBe(true)
      expect(refs.filter((ref) => /main/i.test(ref)).length).toBe(1)
      expect(await git(place, into, "log", "--format=%s", `refs/bottle/${slug}/main`)).toBe("shown\nhidden\none\n")
      expect(filesHolding(into, canary)).toEqual([])
    }, 300_000)

    test("what the agent does to its own objects, index and attributes hides no change", async () => {
      const repo = await makeRepository(place, "honest")
      const hide = `${identity}; set -e
touch -r a /tmp/time; echo EVIL >> a; touch -r /tmp/time a
git update-index --assume-unchanged a; git update-index --skip-worktree b; echo EVIL >> b
echo '* -diff -text' > .gitattributes; echo '[attr]binary -diff' > .git/info/attributes
echo new > hidden; echo hidden > .git/info/exclude
blob=$(git rev-parse HEAD:a); path=.git/objects/$(echo $blob | cut -c1-2)/$(echo $blob | cut -c3-)
rm -f $path; cp .git/objects/$(git hash-object -w a | sed 's|^..|&/|') $path; exit 3`
      const other = await runIn(place, repo, hide)
      const { stdout, stderr } = await place.bottle(["diff", other])
      expect(stdout, stderr).toContain("+++ b/a\n@@ -1 +1,2 @@\n one\n+EVIL\n")
      expect(stdout).toContain("+++ b/b\n@@ -1 +1,2 @@\n two\n+EVIL\n")
      expect(stdout).toContain("+++ b/hidden\n")
      // The operator's repository is gone as well: nothing stands in for what was there before.
      rmSync(join(repo, ".git"), { recursive: true })
      const gone = await place.bottle(["diff", other])
      expect(gone.stdout).toContain("--- /dev/null\n+++ b/a\n@@ -0,0 +1,2 @@\n+one\n+EVIL\n")
      expect(gone.stderr).toContain("content from before is gone: a\n")
    }, 300_000)

    test("an object that is not what its name says is not pulled", async () => {
      const planted = await inside(`set -e; cd /workspace; ${freshRepository}
blob=$(git rev-parse HEAD:file); path=.git/objects/$(echo $blob | cut -c1-2)/$(echo $blob | cut -c3-)
echo two > other; rm -f $path; cp .git/objects/$(git hash-object -w other | sed 's|^..|&/|') $path`)
      expect(planted.code, planted.stderr).toBe(0)
      const into = await emptyRepository("corrupt")
      const pulled = await place.bottle(["pull", slug, "--into", into])
      expect(pulled.code).not.toBe(0)
      expect(await git(place, into, "for-each-ref")).toBe("")
    }, 300_000)

    test("a tree that would write into .git, and a module that would run a command, are not pulled", async () => {
      for (const plant of [
        `tree=$(printf '100644 blob %s\\t.git\\n' "$(git rev-parse HEAD:file)" | git mktree)`,
        `module=$(printf '[submodule "x"]\\n\\tpath = x\\n\\turl = -uexec\\n' | git hash-object -w --stdin)
tree=$(printf '100644 blob %s\\t.gitmodules\\n' $module | git mktree)`,
      ]) {
        const planted = await inside(`set -e; cd /workspace; ${freshRepository}; ${plant}
git update-ref refs/heads/evil "$(git commit-tree $tree -m evil)"`)
        expect(planted.code, planted.stderr).toBe(0)
        const into = await emptyRepository("trees")
        const pulled = await place.bottle(["pull", slug, "--into", into])
        expect([pulled.code, pulled.stderr]).toEqual([8, expect.stringContaining("do not hold what they should")])
        expect(await git(place, into, "for-each-ref")).toBe("")
      }
    }, 300_000)

    test("the operator's own repository with hostile settings is pulled into without running them", async () => {
      const evil = join(place.work, "evil")
      mkdirSync(evil, { recursive: true })
      giveTo(place, place.work)
      await makeEvil(place, evil, ran)
      Bun.spawnSync(["chmod", "-R", "a+rX", place.work], { env: {} })
      rmSync(ran, { force: true })
      await git(place, evil, "update-ref", "refs/heads/plain", "HEAD")
      expect(hasRun(), "plain git runs it").not.toBe("")
      rmSync(ran)
      const other = await runIn(place, evil, `${identity}; git commit -qm more --allow-empty; echo x >> file; exit 3`)
      const dry = ["start", "--dry-run", "--cwd", "--bottle", "dev", "--", "true"]
      expect((await place.bottle(dry, { cwd: evil })).code).toBe(0)
      expect((await place.bottle(["diff", other], { cwd: evil })).stdout).toContain("+x\n")
      const pulled = await place.bottle(["pull", other, "--wip"], { cwd: evil })
      expect(pulled.code, pulled.stderr).toBe(0)
      expect(hasRun()).toBe("")
      const log = await run(
        place.as(["git", "--git-dir", join(evil, ".git"), "rev-parse", `refs/bottle/${other}/WIP`]),
        {
          env: { ...place.env, GIT_CONFIG_NOSYSTEM: "1" },
        },
      )
      expect(log.stdout).toMatch(/^[0-9a-f]{40}\n$/)
    }, 300_000)

    test("links lead neither out of the bottle nor out of where it is copied to", async () => {
      const key = join(place.home, ".ssh", "id_ed25519")
      await inside(`cd /workspace; ${freshRepository}; mkdir d; ln -s ${key} d/key; ln -s ${place.home}/.ssh ssh
ln -s ${place.home} home; echo over > d/id_ed25519; mkdir -p plain; echo in > plain/id_ed25519; mkfifo d/pipe; ln d/id_ed25519 d/hard`)
      const out = join(place.work, "links")
      rmSync(out, { recursive: true, force: true })
      expect((await place.bottle(["cp", `${slug}:.`, out])).code).toBe(0)
      expect(filesHolding(out, canary)).toEqual([])
      expect(readFileSync(join(out, "d", "hard"), "utf8")).toBe("over\n")
      for (const path of ["ssh/id_ed25519", "home/.ssh/id_ed25519", "d/key"]) {
        expect((await place.bottle(["cp", `${slug}:${path}`, join(place.work, "stolen")])).code).not.toBe(0)
        expect(existsSync(join(place.work, "stolen"))).toBe(false)
      }
      // A link of somebody's where the copy would go.
      const target = join(place.work, "target")
      rmSync(target, { recursive: true, force: true })
      mkdirSync(target)
      symlinkSync(join(place.home, ".ssh"), join(target, "plain"))
      giveTo(place, target)
      const through = await place.bottle(["cp", "--force", `${slug}:plain`, target])
      expect([through.code, through.stderr]).toEqual([1, expect.stringContaining("is there already")])
      rmSync(join(target, "plain"))
      mkdirSync(join(target, "plain"))
      symlinkSync(key, join(target, "plain", "id_ed25519"))
      giveTo(place, target)
      expect((await place.bottle(["cp", "--force", `${slug}:plain`, target])).code).toBe(0)
      expect(readFileSync(join(target, "plain", "id_ed25519"), "utf8")).toBe("in\n")
      expect(readFileSync(key, "utf8")).toBe(canary)
      // And one of the agent's where something is put in.
      const put = await place.bottle(["cp", key, `${slug}:ssh/id_ed25519`])
      expect(put.code).not.toBe(0)
      expect(readFileSync(key, "utf8")).toBe(canary)
    }, 300_000)

    test("a hole of a terabyte, too large a commit and too many branches are refused in a line", async () => {
      await inside(`cd /workspace; ${freshRepository}; truncate -s 1T hole; head -c 3000000 /dev/zero > large; git add large; git commit -qm large
i=0; while [ $i -lt 1100 ]; do echo "create refs/heads/b$i HEAD"; i=$((i+1)); done | git update-ref --stdin`)
      const out = join(place.work, "hole")
      rmSync(out, { force: true })
      const copied = await place.bottle(["cp", `${slug}:hole`, out, "--max-size", "1m"])
      expect([copied.code, copied.stderr]).toEqual([1, expect.stringContaining("too much to copy: more than 1 MB")])
      expect(existsSync(out)).toBe(false)
      const into = await emptyRepository("large")
      const many = await place.bottle(["pull", slug, "--into", into])
      expect([many.code, many.stderr]).toEqual([1, expect.stringContaining("at most 1000 are pulled")])
      const large = await place.bottle(["pull", slug, "--into", into, "--branch", "main", "--max-size", "1m"])
      expect([large.code, large.stderr]).toEqual([1, expect.stringContaining("the largest large with 3 MB")])
      expect(await git(place, into, "for-each-ref")).toBe("")
      const one = await place.bottle(["pull", slug, "--into", into, "--branch", "main"])
      expect(one.code, one.stderr).toBe(0)
    }, 300_000)
  })
}

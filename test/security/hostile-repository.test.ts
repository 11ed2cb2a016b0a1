import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import {
  chmodSync,
  cpSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs"
import { createServer } from "node:net"
import { dirname, join } from "node:path"
import { run } from "../support/command.ts"
import { makePlace, whos } from "../support/place.ts"
import { filesHolding, git, giveTo, makeEvil, oddNames, put } from "../support/repository/evil.ts"
import { requirePart } from "../support/require.ts"

/**
 * SECURITY 8, 9, 23: a repository that attacks whoever looks at it. Nothing of it runs on the host, and no link, FIFO or
 * borrowed object leads out of it.
 */

const here = requirePart("binary") && requirePart("bwrap") && requirePart("git")
const canary = "CANARY-OUTSIDE-THE-REPOSITORY"

for (const who of here ? whos : []) {
  describe(`a hostile repository, started by ${who}`, () => {
    const place = makePlace(who)
    const ran = join(place.dir, "writable", "ran")
    mkdirSync(dirname(ran))
    chmodSync(dirname(ran), 0o777)
    const repository = place.work
    const other = join(place.home, "other")

    beforeEach(async () => {
      rmSync(repository, { recursive: true, force: true })
      rmSync(other, { recursive: true, force: true })
      rmSync(ran, { force: true })
      place.writeBottle("dev", "agent_provider: {template: command}")
      put(join(place.home, ".ssh", "id_ed25519"), canary)
      put(join(other, "secret"), canary)
      await git(place, other, "init", "-q")
      await git(place, other, "add", "secret")
      await git(place, other, "commit", "-q", "-m", canary)
      mkdirSync(repository, { recursive: true })
      own()
    })
    afterEach(async () => {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })

    /** Root's bottles run as somebody else, who has to be able to read. */
    function own(): void {
      giveTo(place, place.home, repository, other)
      chmodSync(repository, 0o755)
    }

    /** Everything that `bottle` does with a directory; returns what the agent saw of it. */
    async function useAll(look = "true"): Promise<string> {
      const dry = await place.bottle(["start", "--dry-run", "--cwd", "--bottle", "dev", "--", "true"])
      expect(dry.stderr).not.toContain("error:")
      for (const args of [["list"], ["list", "agents"], ["list", "agents", "--json"], ["info", "evil"], ["doctor"]]) {
        const result = await place.bottle(args)
        expect(result.stderr).not.toContain("bottle itself failed")
        expect(result.stdout + result.stderr).not.toContain(canary)
      }
      const script = `${look}; echo kept > kept; sh -c 'grep -rs ${canary.slice(0, 12)} . && echo FOUND; cat keys/* key 2>/dev/null'`
      const started = await place.bottle(["start", "--headless", "--cwd", "--bottle", "dev", "--", "sh", "-c", script])
      expect(started.stderr).not.toContain("error:")
      expect(started.stdout).not.toContain(canary)
      expect(started.stdout).not.toContain("FOUND")
      const [slug = ""] = place.states()
      expect(filesHolding(join(place.botHome, "state"), canary)).toEqual([])
      for (const args of [
        ["info", slug],
        ["logs", slug],
        ["stop", slug],
      ]) {
        const result = await place.bottle(args)
        expect(result.stdout + result.stderr).not.toContain(canary)
      }
      expect(existsSync(ran) ? readFileSync(ran, "utf8") : "").toBe("")
      return started.stdout
    }

    test("runs nothing by its configuration, hooks, filters and submodules, though plain git does", async () => {
      await makeEvil(place, repository, ran)
      const copy = join(place.dir, "copy")
      cpSync(repository, copy, { recursive: true, verbatimSymlinks: true })
      giveTo(place, copy)
      const shown: string[] = []
      for (const args of [
        ["status"],
        ["diff"],
        ["checkout", "-q", "-b", "x"],
        ["fetch", "-q", "evil"],
        ["log", "-p", "-1"],
      ]) {
        rmSync(ran, { force: true })
        await git(place, copy, ...args)
        if (existsSync(ran)) shown.push(args[0] ?? "")
      }
      rmSync(ran, { force: true })
      rmSync(copy, { recursive: true, force: true })
      expect(shown).toEqual(["status", "diff", "checkout", "fetch", "log"])

      const seen = await useAll("cat file; git log --format=%s; git status --porcelain")
      expect(seen).toContain("original\n")
      expect(seen).toContain("first\n")
      expect(readFileSync(join(repository, "file"), "utf8")).toBe("original\n")
    }, 300_000)

    test("shows the agent its odd names, links and nested repositories as they are, and follows none", async () => {
      await makeEvil(place, repository, ran)
      symlinkSync(join(place.home, ".ssh"), join(repository, "keys"))
      symlinkSync(join(place.home, ".ssh", "id_ed25519"), join(repository, "key"))
      symlinkSync("/proc/self/environ", join(repository, "environ"))
      symlinkSync("../../../../../../../../etc/shadow", join(repository, "shadow"))
      symlinkSync("loop", join(repository, "loop"))
      symlinkSync(".", join(repository, "self"))
      for (const name of oddNames) put(join(repository, name), "odd")
      put(join(repository, "nested", ".git", "config"), `[core]\n\tfsmonitor = ${join(repository, "run.sh")}\n`)
      put(join(repository, "nested", ".git", "HEAD"), "ref: refs/heads/main\n")
      put(join(repository, "nested", "inside"), "text")
      own()
      const seen = await useAll("find . -path ./.git -prune -o -print0 | tr '\\n\\0' '?\\n'; readlink keys shadow loop")
      for (const name of oddNames) expect(seen).toContain(`./${name.replaceAll("\n", "?")}\n`)
      expect(seen).toContain(`${join(place.home, ".ssh")}\n`)
      expect(seen).toContain("loop\n")
    }, 300_000)

    const borrowed: [string, () => void | Promise<void>][] = [
      [".git is a file that names another repository", () => put(join(repository, ".git"), `gitdir: ${other}/.git\n`)],
      [".git is a link to another repository", () => symlinkSync(join(other, ".git"), join(repository, ".git"))],
      [
        "its objects are borrowed from another repository",
        async () => {
          await git(place, repository, "init", "-q")
          put(join(repository, ".git/objects/info/alternates"), `${other}/.git/objects\n`)
          put(join(repository, ".git/refs/heads/main"), await git(place, other, "rev-parse", "HEAD"))
          put(join(repository, ".git/HEAD"), "ref: refs/heads/main\n")
        },
      ],
      [
        "its objects are a link to those of another repository",
        async () => {
          await git(place, repository, "init", "-q")
          rmSync(join(repository, ".git/objects"), { recursive: true })
          symlinkSync(join(other, ".git/objects"), join(repository, ".git/objects"))
          put(join(repository, ".git/refs/heads/main"), await git(place, other, "rev-parse", "HEAD"))
          put(join(repository, ".git/HEAD"), "ref: refs/heads/main\n")
        },
      ],
      [
        "it is a worktree of another repository",
        async () => {
          await git(place, repository, "init", "-q")
          put(join(repository, ".git/commondir"), `${other}/.git\n`)
        },
      ],
      [
        "its working tree is said to be elsewhere",
        async () => {
          await git(place, repository, "init", "-q")
          await git(place, repository, "config", "core.worktree", other)
          await git(place, repository, "config", "include.path", join(other, "secret"))
        },
      ],
    ]
    test.each(borrowed)(
      "gives the agent nothing of another repository when %s",
      async (_, make) => {
        await make()
        put(join(repository, "file"), "mine\n")
        own()
        const seen = await useAll(
          "cat file; git log -p 2>/dev/null; git cat-file --batch-all-objects --batch 2>/dev/null",
        )
        expect(seen).toContain("mine\n")
      },
      300_000,
    )

    test("is copied in time and within the disk with FIFOs, sockets, devices and a sparse terabyte in it", async () => {
      put(join(repository, "file"), "mine\n")
      Bun.spawnSync(["mkfifo", join(repository, "pipe")])
      if (process.getuid?.() === 0) Bun.spawnSync(["mknod", join(repository, "device"), "c", "1", "3"])
      const sparse = openSync(join(repository, "sparse"), "w")
      ftruncateSync(sparse, 2 ** 40)
      const socket = createServer().listen(join(repository, "socket"))
      await new Promise((resolve) => socket.once("listening", resolve))
      own()
      try {
        for (const asRepository of [false, true]) {
          if (asRepository) await git(place, repository, "init", "-q")
          const seen = await useAll("cat file; stat -c %s,%b sparse")
          expect(seen).toContain("mine\n")
          const [size, blocks] = /(\d+),(\d+)/.exec(seen)?.slice(1).map(Number) ?? []
          expect(size).toBe(2 ** 40)
          expect(blocks).toBeLessThan(10_000)
          for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
        }
      } finally {
        socket.close()
      }
    }, 300_000)

    test("puts no program of its own on the way, though PATH names the directory", async () => {
      for (const name of [
        "bwrap",
        "git",
        "sh",
        "bash",
        "stty",
        "tar",
        "find",
        "setpriv",
        "nsenter",
        "true",
        "claude",
      ]) {
        put(join(repository, name), `#!/bin/sh\necho ${name} >> ${ran}\n`, 0o755)
      }
      own()
      const env = { ...place.env, PATH: `.::${place.env.PATH}` }
      for (const args of [
        ["start", "--headless", "--cwd", "--bottle", "dev", "--", "/bin/true"],
        ["start", "--dry-run", "--bottle", "dev", "--", "true"],
        ["doctor"],
        ["list"],
      ]) {
        const [first = "", ...rest] = place.as([join(place.dir, "bottle"), ...args])
        await run([Bun.which(first) ?? first, ...rest], { cwd: repository, env })
      }
      expect(existsSync(ran) ? readFileSync(ran, "utf8") : "").toBe("")
    }, 300_000)
  })
}

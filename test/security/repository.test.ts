import { afterEach, describe, expect, test } from "bun:test"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { makeArena, requireArena } from "../support/breakout/arena.ts"
import { besiege } from "../support/breakout/attempt.ts"
import { writeHostileRepository } from "../support/breakout/hostile-repository.ts"
import { run } from "../support/command.ts"
import { whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

/** Trees that others wrote: a hostile repository to start in, and what an agent leaves behind for its host to look at. */

const here = requirePart("binary") && requirePart("bwrap") && requirePart("git") && requireArena()
const arena = here ? await makeArena() : undefined

/** What may never reach a terminal from a name or a log. */
const draws = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\x1b(?!\[[0-9;]*m)/

for (const who of here ? whos : []) {
  const place = arena === undefined ? undefined : await besiege(who, arena)

  describe.skipIf(place === undefined)(`as ${who},`, () => {
    if (place === undefined) return
    const marker = join(place.dir, "ran")
    afterEach(async () => {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })

    /** Run every command that looks at a bottle; what they say draws nothing. */
    async function lookAt(slug: string): Promise<string> {
      let all = ""
      for (const command of [["list"], ["list", "agents"], ["list", "bottles"], ["info", slug], ["logs", slug]]) {
        const { stdout, stderr } = await place!.bottle(command)
        all += stdout + stderr
      }
      return all
    }

    test("a hostile repository runs nothing on the host and leads nowhere", async () => {
      writeHostileRepository(place.work, marker, place.home)
      Bun.spawnSync(["chmod", "-R", "a+rX", place.work])
      if (who === "user") Bun.spawnSync(["chown", "-R", "-h", "12345:12345", place.work])
      const bare = await run(place.inHome(["git", "-C", place.work, "status"]), { env: place.env })
      expect(existsSync(marker), `without a sandbox it does run: ${bare.stderr}`).toBe(true)
      rmSync(marker)

      const dry = await place.bottle(["start", "--dry-run", "--cwd", "--bottle", "siege", "--", "true"])
      expect(dry.code, dry.stderr).toBe(0)
      expect(dry.stdout + dry.stderr).not.toMatch(draws)
      const look =
        "cat key keys/id_ed25519; find .git -type f -links +1; git log --oneline; echo changed > file; exit 3"
      const started = await place.bottle(["start", "--headless", "--cwd", "--bottle", "siege", "--", "sh", "-c", look])
      expect(started.code, started.stderr).toBe(3)
      expect(started.stdout).toMatch(/^[0-9a-f]+ one\n$/)
      expect(readFileSync(join(place.work, "file"), "utf8")).toBe("original\n")
      const [slug = ""] = place.states()
      expect(await lookAt(slug)).not.toMatch(draws)
      await place.bottle(["stop", slug])
      await place.bottle(["destroy", slug, "--yes"])
      expect(place.states()).toEqual([])
      expect(existsSync(marker) ? readFileSync(marker, "utf8") : "").toBe("")
    }, 300_000)

    test("an agent file of the repository does not choose its bottle", async () => {
      const started = await place.bottle(["start", "evil", "--headless", "--", "true"])
      expect(started.code).not.toBe(0)
      expect(started.stderr).toContain("--bottle")
      expect(place.states()).toEqual([])
    }, 300_000)

    test("links, names and closed directories that an agent leaves are not followed, drawn or in the way", async () => {
      const key = join(place.home, ".ssh/id_ed25519")
      const leave = `ln -s ${place.home} home; ln -s ${key} key; ln -s ${key} ~/key; ln -s / ~/root; mkfifo ~/pipe
mkdir -p ~/closed/deep && : > ~/closed/deep/file && chmod 0 ~/closed
rm -rf ~/.cache ~/.config; ln -s ${place.home} ~/.cache; ln -s ${place.home}/.ssh ~/.config
printf x > "$(printf '\\033]52;c;ZXZpbA==\\007')"; printf x > "$(printf 'two\\nlines')"
curl -sk -m2 "https://listed.example/secret/%1b%5d52;c;x%07"; curl -sk -m2 "https://listed.example/secret/%e2%80%ae"
curl -sk -m2 -A "$(printf '\\033]0;title\\007')" "https://evil.example/"; exit 3`
      rmSync(place.work, { recursive: true, force: true })
      Bun.spawnSync(place.as(["mkdir", "-p", place.work]))
      const work = existsSync(place.work) ? place.work : place.home
      const start = ["start", "--headless", "--bottle", "siege", "--", "sh", "-c", leave]
      const started = await place.bottle(start, { cwd: work })
      expect(started.code, started.stderr).toBe(3)
      expect(started.stderr).not.toMatch(draws)
      const [slug = ""] = place.states()
      const seen = await run(place.inHome([join(place.dir, "bottle"), "logs", slug]), { cwd: work, env: place.env })
      expect(seen.stdout + seen.stderr).not.toMatch(draws)
      for (const command of [
        ["resume", slug, "--headless"],
        ["stop", slug],
        ["info", slug],
        ["destroy", slug, "--yes"],
      ]) {
        const { stdout, stderr } = await place.bottle(command, { cwd: work })
        expect(stdout + stderr, command[0] ?? "").not.toMatch(draws)
      }
      expect(place.states()).toEqual([])
      expect(readFileSync(key, "utf8")).toBe("a key\n")
    }, 300_000)
  })
}

import { beforeAll, describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { run } from "../../support/command.ts"
import { busyboxTree, importImage, useEngine } from "../../support/docker/engine.ts"
import { makePlace, type Place } from "../../support/place.ts"
import { filesHolding, git, put } from "../../support/repository/evil.ts"
import { makeRepository } from "../../support/repository/plain.ts"
import { requirePart } from "../../support/require.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"

const able = ["dockerd", "busybox", "binary", "bwrap", "git"].every(requirePart)
const engine = useEngine(able)
const dir = tempDir("docker-work")
/** Never used: its tests are skipped. */
const noPlace = {} as Place

describe.skipIf(!able)("the agent's work on the docker backend", () => {
  const place = able ? makePlace("root", { DOCKER_HOST: engine.host }) : noPlace
  const out = join(dir, "out")
  let repo = ""
  let slug = ""

  /** The image has no git: the later history lies ready beside the files, and the agent puts it in place. */
  const work = `cd /workspace; /bin/busybox rm -rf .git; /bin/busybox mv next.git .git; echo more >> a; echo new > new
ln -s /etc/passwd link; mkfifo pipe; echo home > ~/note; /bin/busybox httpd -p 127.0.0.1:5173 -h /workspace; touch /tmp/ready; sleep 300`

  beforeAll(async () => {
    await importImage(engine, await busyboxTree(dir), "busybox:1")
    place.writeBottle("dev", "docker: { image: 'busybox:1' }")
    repo = await makeRepository(place)
    const later = join(dir, "later")
    await run(["git", "clone", "-q", repo, later], { env: place.env })
    put(join(later, "c"), "three\n")
    await git(place, later, "add", "c")
    await git(place, later, "commit", "-q", "-m", "second")
    await run(["cp", "-r", join(later, ".git"), join(repo, "next.git")])
    const argv = ["start", "--headless", "--backend", "docker", "--cwd", "--bottle", "dev", "--", "sh", "-c", work]
    void place.bottle(argv, { cwd: repo, timeout: 300_000 })
    slug = await waitFor("a bottle", () => place.states()[0])
    const ready = ["exec", slug, "--", "/bin/busybox", "test", "-e", "/tmp/ready"]
    await waitFor("its work", async () => (await place.bottle(ready)).code === 0)
    rmSync(join(repo, "next.git"), { recursive: true })
  }, 300_000)

  async function looks(): Promise<void> {
    const names = await place.bottle(["diff", slug, "--name-only"])
    expect(names.stdout.split("\n").filter((name) => !name.startsWith("next.git/"))).toEqual(["a", "link", "new", ""])
    expect(names.stderr).toContain("pipe")
    expect((await place.bottle(["diff", slug])).stdout).toContain("@@ -1 +1,2 @@\n one\n+more\n")
    const pulled = await place.bottle(["pull", slug, "--wip"], { cwd: repo })
    expect(pulled.code, pulled.stderr).toBe(0)
    expect(await git(place, repo, "log", "--format=%s", `refs/bottle/${slug}/main`)).toBe("second\nfirst\n")
    expect(await git(place, repo, "show", `refs/bottle/${slug}/WIP:a`)).toBe("one\nmore\n")
    rmSync(out, { recursive: true, force: true })
    const copied = await place.bottle(["cp", `${slug}:.`, out])
    expect(copied.stderr).toContain("1 link, 1 of pipes, sockets and devices, 1 .git")
    expect(readdirSync(out).sort()).toEqual([".gitignore", "a", "b", "new"])
    expect((await place.bottle(["cp", `${slug}:~/note`, join(out, "note")])).code).toBe(0)
    expect(readFileSync(join(out, "note"), "utf8")).toBe("home\n")
    expect((await place.bottle(["cp", `${slug}:/etc/passwd`, out])).code).toBe(2)
    expect((await place.bottle(["cp", `${slug}:nothing`, out])).code).toBe(5)
    expect((await engine.left()).filter((name) => name.includes("-look"))).toEqual([])
  }

  test("is compared, pulled and copied out while the bottle runs", looks, 300_000)

  test("takes files in: beside others, never over one unasked, and owned by the agent", async () => {
    put(join(dir, "in", "deep", "x"), "given\n", 0o755)
    expect((await place.bottle(["cp", join(dir, "in"), `${slug}:`])).code).toBe(0)
    const again = await place.bottle(["cp", join(dir, "in"), `${slug}:`])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('"in" is there already')])
    expect((await place.bottle(["cp", "--force", join(dir, "in", "deep", "x"), `${slug}:renamed`])).code).toBe(0)
    expect((await place.bottle(["cp", join(dir, "in"), `${slug}:no/such/place`])).code).toBe(5)
    const look = "cat in/deep/x renamed; ls -ln renamed; echo mine >> in/deep/x"
    const seen = await place.bottle(["exec", slug, "--", "sh", "-c", look])
    expect(seen.stdout).toMatch(/^given\ngiven\n-rwxr-xr-x +1 1000 +1000 /)
    expect(seen.code).toBe(0)
    // What an agent's link leads to is not this machine's.
    await place.bottle(["exec", slug, "--", "sh", "-c", `ln -s ${dir} away`])
    await place.bottle(["cp", join(dir, "in", "deep", "x"), `${slug}:away/planted`])
    expect(existsSync(join(dir, "planted"))).toBe(false)
    await place.bottle(["exec", slug, "--", "rm", "-rf", "in", "renamed", "away"])
  }, 300_000)

  test("is seen through a forwarded port, and a sidecar's is not", async () => {
    const child = Bun.spawn(place.as([join(place.dir, "bottle"), "forward", slug, "5173:0"]), {
      env: place.env,
      stdio: ["ignore", "pipe", "ignore"],
    })
    try {
      const reader = child.stdout.getReader()
      const url = new TextDecoder().decode((await reader.read()).value).trim()
      const seen = await run(["curl", "-s", "--retry", "3", `${url}new`])
      expect(seen.stdout).toBe("new\n")
    } finally {
      child.kill("SIGKILL")
      await child.exited
    }
    expect((await place.bottle(["forward", slug, "9099"])).code).toBe(2)
  }, 300_000)

  test("is the same when the bottle is at rest", async () => {
    expect((await place.bottle(["stop", slug])).code).toBe(0)
    symlinkSync("/etc", join(dir, "etc"))
    await looks()
    expect(filesHolding(out, "root:")).toEqual([])
    expect((await place.bottle(["destroy", slug, "--yes"])).code).toBe(0)
    expect(await engine.left()).toEqual([])
  }, 300_000)
})

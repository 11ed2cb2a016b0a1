import { beforeAll, beforeEach, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { run } from "../support/command.ts"
import { makePlace, placeBinary, whos } from "../support/place.ts"
import { git, giveTo, put } from "../support/repository/evil.ts"
import { identity, makeRepository, runIn } from "../support/repository/plain.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

const here = ["binary", "bwrap", "git", "python3"].every(requirePart)
const leaks = requirePart("gitleaks")

for (const who of here ? whos : []) {
  describe(`files and ports of a bottle, as ${who}`, () => {
    const place = makePlace(who)
    const out = join(place.work, "out")
    let slug = ""
    beforeAll(async () => {
      place.writeBottle("dev", "agent_provider: {template: command}")
      const script = `mkdir -p d/e; echo f > d/f; ln d/f d/g; ln -s f d/l; echo x > d/e/x; chmod 4755 d/e/x
echo h > ~/note; touch /tmp/ready; python3 -m http.server 5173 --bind 127.0.0.1 2>/dev/null`
      void place.bottle(["start", "--headless", "--bottle", "dev", "--", "sh", "-c", script], { timeout: 300_000 })
      slug = await waitFor("a bottle", () => place.states()[0])
      const ready = ["exec", slug, "--", "test", "-e", "/tmp/ready"]
      await waitFor("its agent", async () => (await place.bottle(ready)).code === 0)
    }, 300_000)
    beforeEach(() => {
      rmSync(out, { recursive: true, force: true })
      mkdirSync(out)
      giveTo(place, place.work)
    })
    const cp = (...args: string[]) => place.bottle(["cp", ...args], { cwd: out })

    test("cp takes a directory out: its files, and a word on what stayed behind", async () => {
      const copied = await cp(`${slug}:d`, ".")
      expect([copied.code, copied.stderr]).toEqual([0, `${out}/d: 3 files, 6 bytes\nwarning: not copied: 1 link\n`])
      expect(readdirSync(join(out, "d")).sort()).toEqual(["e", "f", "g"])
      expect(statSync(join(out, "d/e/x")).mode & 0o7777).toBe(0o755)
      const again = await cp(`${slug}:d`, ".")
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("is there already")])
      expect((await cp("--force", `${slug}:d`, ".")).code).toBe(0)
      expect((await cp(`${slug}:d/f`, "other")).code).toBe(0)
      expect(readFileSync(join(out, "other"), "utf8")).toBe("f\n")
      expect(JSON.parse((await cp("--json", `${slug}:~/note`, ".")).stdout)).toMatchObject({
        files: 1,
        bytes: 2,
        links: 0,
      })
      const tar = await run(
        ["sh", "-c", `${place.as([placeBinary(place), "cp", `${slug}:d`, "-"]).join(" ")} | tar -t`],
        {
          env: place.env,
          cwd: out,
        },
      )
      expect(tar.stdout).toBe("d/\nd/e/\nd/e/x\nd/f\nd/g\n")
    }, 300_000)

    test("cp refuses in a line what it does not do, and writes nothing", async () => {
      for (const [args, code, words] of [
        [[`${slug}:/etc/passwd`, "."], 2, "neither in the bottle's workspace nor in its home"],
        [[`${slug}:../x`, "."], 2, "neither in the bottle's workspace"],
        [[`${slug}:nope`, "."], 5, "nothing is at"],
        [[`${slug}:d/l`, "."], 1, "is a link"],
        [[`${slug}:d`, "no/such/place"], 5, "is no directory"],
        [["a", "b"], 2, "neither of the two"],
        [[`${slug}:d`, `${slug}:e`], 2, "copy it here first"],
        [["nope-12345:d", "."], 5, "no bottle"],
        [["absent", `${slug}:`], 5, "is not there"],
        [[`${slug}:d`, ".", "--max-size", "3"], 2, "expected a size"],
      ] as const) {
        const done = await cp(...args)
        expect([done.code, done.stderr], args.join(" ")).toEqual([code, expect.stringContaining(words)])
      }
      expect(readdirSync(out)).toEqual([])
    }, 300_000)

    test("cp puts files in, for the agent to use, and never over one unasked", async () => {
      put(join(out, "given/deep/x"), "given\n")
      giveTo(place, out)
      expect((await cp("given", `${slug}:`)).code).toBe(0)
      expect(await cp("given", `${slug}:`)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('"given" is there'),
      })
      expect((await cp("--force", "given/deep/x", `${slug}:given/deep/x`)).code).toBe(0)
      expect((await cp("given/deep/x", `${slug}:~/renamed`)).code).toBe(0)
      expect((await cp("given", `${slug}:no/such/place`)).code).toBe(5)
      const seen = await place.bottle([
        "exec",
        slug,
        "--",
        "sh",
        "-c",
        "cat given/deep/x ~/renamed; echo mine >> given/deep/x",
      ])
      expect([seen.code, seen.stdout]).toEqual([0, "given\ngiven\n"])
      expect((await place.bottle(["exec", slug, "--", "ls", "-A"])).stdout).not.toContain(".bottle-cp")
    }, 300_000)

    test("forward shows the agent's server to this machine, to its own pages alone, while it runs", async () => {
      const argv = place.as([placeBinary(place), "forward", slug, "5173:0"])
      const child = Bun.spawn(argv, { env: place.env, stdio: ["ignore", "pipe", "pipe"] })
      const url = new TextDecoder().decode((await child.stdout.getReader().read()).value).trim()
      const port = Number(new URL(url).port)
      const curl = async (...args: string[]) => (await run(["curl", "-s", ...args, `${url}d/f`])).stdout
      expect(await curl()).toBe("f\n")
      expect(await Promise.all([1, 2, 3, 4, 5].map(() => curl()))).toEqual(Array(5).fill("f\n"))
      expect(await curl("-H", "Host: evil.example")).toContain("refused")
      expect(await curl("-H", "Origin: http://evil.example")).toContain("refused")
      // One that waits before it asks is judged all the same.
      const late = await new Promise<string>((resolve) => {
        const socket = connect(port, "127.0.0.1")
        let text = ""
        socket.on("data", (chunk) => {
          text += chunk
        })
        socket.on("close", () => resolve(text))
        setTimeout(() => socket.write("GET /d/f HTTP/1.0\r\nHost: evil.example\r\n\r\n"), 600)
      })
      expect(late).toContain("refused")
      child.kill("SIGINT")
      await child.exited
      expect((await run(["curl", "-s", "-m", "5", url])).code).not.toBe(0)
      for (const reserved of ["9099", "9100", "9200", "9418"]) {
        expect(await place.bottle(["forward", slug, reserved])).toMatchObject({ code: 2 })
      }
      expect(await place.bottle(["forward", slug, "x"])).toMatchObject({ code: 2 })
      expect(await place.bottle(["forward", "nope-12345", "80"])).toMatchObject({ code: 5 })
    }, 300_000)

    test("diff, pull and cp work on a frozen bottle, and nothing is put into it", async () => {
      const repo = await makeRepository(place)
      const frozen = await runIn(
        place,
        repo,
        `${identity}; echo 2 >> a; git commit -qam second; echo new > new; exit 3`,
      )
      const freezing = await place.bottle(["freeze", frozen, "--yes"])
      expect(freezing.code, freezing.stderr).toBe(0)
      expect((await place.bottle(["diff", frozen, "--name-only"])).stdout).toBe("a\nnew\n")
      const pulled = await place.bottle(["pull", frozen, "--wip"])
      expect(pulled.code, pulled.stderr).toBe(0)
      expect(await git(place, repo, "show", `refs/bottle/${frozen}/WIP:new`)).toBe("new\n")
      expect((await cp(`${frozen}:new`, ".")).code).toBe(0)
      expect(existsSync(join(out, "new"))).toBe(true)
      expect(await cp("new", `${frozen}:x`)).toMatchObject({ code: 1, stderr: expect.stringContaining("is frozen") })
    }, 300_000)

    test.skipIf(!leaks)(
      "pull stops at what gitleaks takes for a secret, and names the place alone",
      async () => {
        const repo = await makeRepository(place)
        const secret = `ghp_${"a1B2c3D4e5F6g7H8i9J0"}${"kLmNoPqRsTuVwXyZ"}`
        const leak = `${identity}; echo 'token = "${secret}" # gitleaks:allow' > settings.py; printf '[allowlist]\\npaths = [".*"]\\n' > .gitleaks.toml
git add -A; git commit -qm settings; exit 3`
        const leaky = await runIn(place, repo, leak)
        const stopped = await place.bottle(["pull", leaky])
        expect(stopped.code, stopped.stderr).toBe(6)
        expect(stopped.stderr).toMatch(/settings\.py:1 github-pat \([0-9a-f]{10}\)/)
        expect(stopped.stdout + stopped.stderr).not.toContain(secret.slice(4))
        expect(await git(place, repo, "for-each-ref", `refs/bottle/${leaky}`)).toBe("")
        const all = await place.bottle(["pull", leaky, "--allow-leaks", "--json"])
        expect(JSON.parse(all.stdout)).toMatchObject({ leaks: "allowed" })
      },
      300_000,
    )
  })
}

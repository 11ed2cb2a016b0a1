import { beforeAll, describe, expect, test } from "bun:test"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"

const here = requirePart("binary") && requirePart("bwrap")

const open = "agent_provider: {template: command}"

for (const who of here ? whos : []) {
  describe(`start, as ${who}`, () => {
    const place = makePlace(who)
    beforeAll(() => {
      place.writeBottle("dev", `${open}\nenv: {PLAIN: seen}`)
      place.writeBottle("more", "env: {PLAIN: overridden, OTHER: two}")
      place.writeAgent("builder", "bottle: dev")
    })

    test("runs a command in a sealed bottle, passes its output and exit code on, and leaves nothing", async () => {
      const result = await place.bottle([
        "start",
        "--headless",
        "--bottle",
        "dev",
        "--",
        "sh",
        "-c",
        "echo out; echo err >&2; exit 0",
      ])
      expect(result.stdout).toBe("out\n")
      expect(result.stderr).toContain("err\n")
      expect(result.stderr).toContain("nothing left behind")
      expect(result.code).toBe(0)
      expect(place.states()).toEqual([])
    })

    test("keeps the state of a command that failed, with its exit code and how to go on", async () => {
      const result = await place.bottle(["start", "--headless", "--bottle", "dev", "--", "sh", "-c", "exit 7"])
      expect(result.code).toBe(7)
      const [slug = ""] = place.states()
      expect(result.stderr).toContain(`bottle resume ${slug}`)
      const listed = JSON.parse((await place.bottle(["list", "active", "--json"])).stdout)
      expect(listed.active).toMatchObject([{ slug, state: "stopped" }])
      expect((await place.bottle(["destroy", slug, "--yes"])).code).toBe(0)
      expect(place.states()).toEqual([])
    })

    test("keeps work left in the workspace after a clean exit", async () => {
      const result = await place.bottle(["start", "--headless", "--bottle", "dev", "--", "sh", "-c", "echo x > made"])
      expect(result.code).toBe(0)
      expect(result.stderr).toContain("the workspace holds work")
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })

    test("merges bottles in the order given", async () => {
      const argv = [
        "start",
        "--headless",
        "--bottle",
        "dev",
        "--bottle",
        "more",
        "--",
        "sh",
        "-c",
        "echo $PLAIN $OTHER",
      ]
      expect((await place.bottle(argv)).stdout).toBe("overridden two\n")
    })

    test("shows the agent an environment of its own and nothing of the caller's", async () => {
      const run = await place.bottle(["start", "--headless", "--bottle", "dev", "--", "env"], {
        env: { ...place.env, HOST_SECRET: "do-not-pass", BUN_OPTIONS: "--smol" },
      })
      expect(run.stdout).toContain("PLAIN=seen\n")
      expect(run.stdout).toContain("HTTPS_PROXY=http://127.0.0.1:9099\n")
      expect(run.stdout).not.toContain("do-not-pass")
      expect(run.stdout).not.toContain("BUN_")
    })

    test("copies the working directory with --cwd, and what the agent changes stays inside", async () => {
      place.writeWork("file", "original")
      const argv = [
        "start",
        "--headless",
        "--cwd",
        "--bottle",
        "dev",
        "--",
        "sh",
        "-c",
        "cat file; echo changed > file",
      ]
      const result = await place.bottle(argv)
      expect(result.stdout).toBe("original")
      expect(result.stderr).toContain("the workspace holds work")
      expect(await Bun.file(`${place.work}/file`).text()).toBe("original")
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })

    test("resumes a kept bottle with its work under the same slug", async () => {
      await place.bottle(["start", "--headless", "--bottle", "dev", "--", "sh", "-c", "cat made; echo first > made"])
      const [slug = ""] = place.states()
      const again = await place.bottle(["resume", slug, "--headless"])
      expect(again.stdout).toBe("first\n")
      await place.bottle(["destroy", slug, "--yes"])
    })

    test("says of a bottle at rest how often it was refused", async () => {
      const script = "curl -s http://a.example/ http://b.example/; exit 1"
      await place.bottle(["start", "--headless", "--bottle", "dev", "--", "sh", "-c", script])
      const [row] = JSON.parse((await place.bottle(["list", "--json"])).stdout).active
      expect(row).toMatchObject({ refused: 2, reasons: ["the agent exited with 1", "2 requests were refused"] })
      expect((await place.bottle(["info", row.slug])).stdout).toMatch(/^refused +2$/m)
      await place.bottle(["destroy", row.slug, "--yes"])
    })

    test("makes a label in use unique and says so", async () => {
      await place.bottle(["start", "--headless", "builder", "--label", "same", "--", "sh", "-c", "exit 1"])
      const second = await place.bottle(["start", "--headless", "builder", "--label", "same", "--", "true"])
      expect(second.stderr).toContain("label in use: this one is same-2")
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    })
  })
}

const usage: [string, string[], number, string][] = [
  ["no agent without a terminal", ["start"], 2, "which agent?"],
  ["headless without prompt or command", ["start", "builder", "--headless"], 2, "--headless needs"],
  ["no bottle at all", ["start", "--headless", "--", "true"], 2, "which bottle?"],
  ["--prompt without --headless", ["start", "builder", "--prompt", "x"], 2, "--prompt goes with --headless"],
  ["--json without --dry-run", ["start", "builder", "--json"], 2, "--json goes with --dry-run"],
  ["an unknown agent", ["start", "bilder", "--dry-run"], 5, "builder"],
  ["an unknown bottle", ["start", "builder", "--dry-run", "--bottle", "deb"], 5, "dev"],
  ["start without a terminal", ["start", "builder", "--", "true"], 2, "start needs a terminal"],
  ["an unknown slug", ["resume", "nope-12345", "--headless", "--prompt", "x"], 5, "nope-12345"],
  ["a slug that is none", ["attach", "../../etc"], 5, "no bottle"],
]

describe.skipIf(!here)("start refuses, in one line with a hint, and leaves nothing:", () => {
  if (!here) return
  const place = makePlace("user")
  beforeAll(() => {
    place.writeBottle("dev", open)
    place.writeAgent("builder", "bottle: dev")
  })
  for (const [name, args, code, words] of usage) {
    test(name, async () => {
      const before = place.listing()
      const result = await place.bottle(args)
      expect(result.stderr.split("\n").filter((line) => line !== "").length).toBeLessThanOrEqual(2)
      // A script that asked for data gets the error as data.
      expect(args.includes("--json") ? result.stdout : result.stderr).toContain(words)
      if (!args.includes("--json")) expect(result.stdout).toBe("")
      expect(result.code).toBe(code)
      expect(place.listing()).toEqual(before)
    })
  }

  test("a dry run prints the plan as data, the same by flag and by variable, and makes nothing", async () => {
    const before = place.listing()
    const flag = await place.bottle(["start", "builder", "--dry-run", "--json", "--", "true"])
    const variable = await place.bottle(["start", "builder", "--json", "--", "true"], {
      env: { ...place.env, BOT_BOTTLE_DRY_RUN: "1" },
    })
    for (const result of [flag, variable]) {
      expect(result.code).toBe(0)
      expect(JSON.parse(result.stdout)).toMatchObject({
        schemaVersion: 1,
        agent: { name: "builder" },
        bottles: ["dev"],
      })
    }
    expect(place.listing()).toEqual(before)
  })

  test("a written key whose feature is not in this build stops the start with exit 3", async () => {
    place.writeBottle("later", `${open}\ngit-gate: {repos: {x: {url: "ssh://git@a.example/x"}}}`)
    const result = await place.bottle(["start", "--headless", "--bottle", "later", "--", "true"])
    expect(result.stderr).toContain("git-gate.repos: not in this build")
    expect(result.code).toBe(3)
    expect(place.states()).toEqual([])
  })
})

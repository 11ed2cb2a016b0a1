import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { SecretScanner } from "../support/breakout/scan.ts"
import { furnishLogin, type LoginWorld } from "../support/login-place.ts"
import { makePlace, whos } from "../support/place.ts"
import { requirePart } from "../support/require.ts"
import { waitFor } from "../support/wait.ts"

/** The operator's own login of a CLI, used by bottles that never hold it. */

const here = requirePart("binary") && requirePart("bwrap") && requirePart("codex") && requirePart("root")

describe.skipIf(!here)("the host's Codex login, forwarded,", () => {
  const place = makePlace(whos[0] ?? "user")
  let world: LoginWorld
  beforeAll(async () => {
    if (here) world = await furnishLogin(place)
  })
  afterAll(() => world?.close())
  afterEach(async () => {
    for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
    world.refuse = undefined
  })
  const start = (prompt: string) =>
    world.bottle(["start", "--bottle", "codex", "--headless", "--prompt", prompt, "codex"])
  const shell = (cmd: string) => `CALL exec_command ${JSON.stringify({ cmd })}`

  test("that expires while two bottles run is renewed once, and no request fails", async () => {
    world.logIn(21_000)
    const waits = Array(4).fill(shell("sleep 5")).join("\n")
    const both = await Promise.all(["one", "two"].map((name) => start(`${waits}\nSAY ${name} is done`)))
    for (const [at, result] of both.entries()) {
      expect(result.stdout).toContain(`${["one", "two"][at]} is done`)
      expect(result.code).toBe(0)
      // Nothing was refused either: the CLI asked for no token of its own.
      expect(result.stderr).toContain("nothing left behind")
    }
    expect(world.failures).toEqual([])
    expect(world.renewals).toHaveLength(1)
    for (const name of ["one", "two"]) {
      const used = new Set(
        world.tokens.filter(({ body }) => body.includes(`${name} is done`)).map(({ token }) => token),
      )
      expect(used.size).toBe(2)
    }
    expect(JSON.parse(readFileSync(world.authFile, "utf8")).tokens.refresh_token).toBe(world.secrets.at(-1))
    expect(statSync(world.authFile).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(place.home, ".codex"))).toEqual(["auth.json"])
  }, 300_000)

  test("is inside a placeholder only, which passes through bodies both ways as it is", async () => {
    world.logIn(3_600_000)
    const result = await start(`${shell("cat ~/.codex/auth.json; cat /proc/*/environ | tr '\\0' '\\n'")}\nSAY it was:`)
    expect(result.code).toBe(0)
    const [, placeholder = ""] = /"access_token": "([^"]+)"/.exec(result.stdout) ?? []
    expect(Buffer.from(placeholder.split(".")[2] ?? "", "base64url").toString()).toBe(
      "the-real-token-stays-outside-this-bottle",
    )
    expect(world.tokens.at(-1)?.body).toContain(placeholder)
    for (const secret of world.secrets) {
      expect(world.tokens.some(({ body }) => body.includes(secret))).toBe(false)
      expect(result.stdout + result.stderr).not.toContain(secret)
    }
  }, 300_000)

  test("survives a resume; at rest no token is anywhere but in the CLI's own file", async () => {
    world.logIn(3_600_000)
    const first = await start(`${shell("touch work")}\nSAY the first`)
    const slug = /bottle resume (\S+)/.exec(first.stderr)?.[1] ?? ""
    world.logIn(3_600_000)
    const ask = ["resume", slug, "--headless", "--prompt", "SAY the second"]
    const second = await world.bottle(ask)
    expect([second.code, second.stdout.includes("the second")]).toEqual([0, true])
    expect(world.failures).toEqual([])
    for (const secret of world.secrets) {
      const scanner = new SecretScanner(secret)
      scanner.tree(place.dir, (path) => path === world.authFile || path.startsWith(join(place.dir, "npm")))
      expect(scanner.scan.places).toBeGreaterThan(10)
      expect(scanner.scan.found).toEqual([])
    }
  }, 300_000)

  test("that can be renewed no more says so, and what to do", async () => {
    world.logIn(15_000)
    world.refuse = { status: 401, error: "refresh_token_expired" }
    const running = start(`${Array(3).fill(shell("sleep 6")).join("\n")}\nSAY done`)
    const said = await waitFor(
      "the word",
      async () => {
        const [slug] = place.states()
        if (slug === undefined) return undefined
        const { stdout } = await place.bottle(["logs", slug, "--source", "sidecars"])
        return /login: cannot be renewed: .*/.exec(stdout)?.[0]
      },
      300_000,
    )
    expect(said).toContain(
      "auth.openai.com answered 401 (refresh_token_expired); log in anew on this machine: codex login",
    )
    const [slug = ""] = place.states()
    expect((await place.bottle(["info", slug])).stdout).toContain("codex login")
    await place.bottle(["destroy", slug, "--yes"])
    await running
    // Ended for good: a start says it at once, and makes nothing.
    world.logIn(-1000)
    const late = await start("SAY too late")
    expect([late.code, late.stdout]).toEqual([4, ""])
    expect(late.stderr).toMatch(/your codex login has expired: .*\n {2}hint: log in anew: codex login\n/)
    expect(place.states()).toEqual([])
  }, 300_000)

  test("that is not there stops a start with the way to it, also a dry run", async () => {
    rmSync(world.authFile)
    for (const more of [["--headless", "--prompt", "x"], ["--dry-run"]]) {
      const result = await world.bottle(["start", "codex", "--bottle", "codex", ...more])
      expect(result.code).toBe(4)
      expect(result.stderr).toContain("hint: log in: codex login")
    }
    expect(place.states()).toEqual([])
  })

  test("is refused where it cannot be: exit 3", async () => {
    world.logIn(3_600_000)
    place.writeBottle(
      "two-tokens",
      "agent_provider: {template: codex, auth_token: KEY, forward_host_credentials: true}",
    )
    place.writeBottle("no-login", "agent_provider: {template: pi, forward_host_credentials: true}")
    for (const name of ["two-tokens", "no-login"]) {
      const { code, stderr } = await world.bottle(["start", "codex", "--bottle", name, "--dry-run"])
      expect([code, stderr.includes("agent_provider.forward_host_credentials: ")]).toEqual([3, true])
    }
  })
})

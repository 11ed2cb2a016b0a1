import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { testAsking } from "./asking-session.ts"
import type { PretendModel, SeenRequest } from "./model/server.ts"
import { type Place, placeBinary } from "./place.ts"
import { requirePart } from "./require.ts"
import { startTmux, type TmuxServer } from "./tmux.ts"
import { waitFor } from "./wait.ts"

/** What differs between the agent CLIs that the same sessions are tested with. */
export interface AgentCli {
  /** Name of the agent and of its provider. */
  name: string
  furnish(place: Place): Promise<PretendModel>
  /** The operator's token, and where the upstream must see it. */
  secret: string
  credential(request: SeenRequest): string | undefined
  /** A script line that makes the CLI run this shell command. */
  run(command: string): string
  /** A script line that makes the CLI call this tool of supervise's. */
  ask(tool: string, given: object): string
  /** Below a home, where it looks for skills. */
  skills: string
  /** Its screen shows the bottle's label. */
  showsLabel: boolean
  /** What its screen shows when it waits for a prompt. */
  ready: RegExp
}

/** Everything readable inside, whole, for the host to look through. */
const readAll =
  "find / /home /workspace /tmp -xdev -type f -readable -not -path '/usr/*' -not -path '/opt/*' -exec cat {} + 2>/dev/null; cat /proc/*/environ /proc/*/cmdline 2>/dev/null; env"

/** The sessions that every agent CLI must get through, as tests in the caller's `describe`; or those without which nothing works. */
export function testSessions(cli: AgentCli, place: Place, essential = false): { model(): PretendModel } {
  let model: PretendModel
  const inFull = essential ? () => undefined : test
  beforeAll(async () => {
    model = await cli.furnish(place)
  })
  afterAll(() => model.close())

  const headless = (prompt: string) => place.bottle(["start", cli.name, "--headless", `--prompt=${prompt}`])
  const kept = (stderr: string) => /bottle resume (\S+)/.exec(stderr)?.[1] ?? ""

  test("headless: a tool call and a final answer stream through, with a token it never saw", async () => {
    const before = model.requests.length
    const result = await headless(`${cli.run("env; cat /proc/*/environ | tr '\\0' '\\n'")}\nSAY all done`)
    expect(result.stdout).toContain("all done")
    expect(result.code).toBe(0)
    const seen = model.requests.slice(before)
    expect(seen.length).toBeGreaterThanOrEqual(2)
    for (const request of seen) expect(cli.credential(request)).toBe(cli.secret)
    const said = seen.map((request) => request.body).join("\n")
    expect(said).toContain("HTTPS_PROXY=")
    expect(said + result.stdout + result.stderr).not.toContain(cli.secret)
    // A refused request would have kept the state: the CLI asks for nothing but what its routes let out.
    expect(result.stderr).toContain("nothing left behind")
  }, 300_000)

  test("the agent file's prompt reaches the model", () => {
    expect(model.requests.some(({ body }) => body.includes("You are a careful engineer."))).toBe(true)
  })

  test("the operator's tools are before the model at once, and answer", async () => {
    const before = model.requests.length
    const result = await headless(`${cli.ask("list-egress-routes", {})}\nSAY looked`)
    expect([result.code, result.stdout.includes("looked")]).toEqual([0, true])
    const [first, ...later] = model.requests.slice(before).filter(({ method }) => method === "POST")
    // Two of the CLIs write underscores for the hyphens.
    for (const tool of [/egress.block/, /pipelock.block/, /list.egress.routes/, /proposal.status/]) {
      expect(first?.body).toMatch(tool)
    }
    expect(first?.body).toContain("which can take minutes or hours")
    expect(later.at(-1)?.body).toMatch(/routes:\\+n {2}- host:/)
    expect(result.stderr).toContain("nothing left behind")
  }, 300_000)

  test("what it is refused it asks for; what its operator decides is in force, and told, in the same session", async () => {
    await testAsking(cli, place, model)
  }, 300_000)

  test("resume goes on with the conversation", async () => {
    const first = await headless(`${cli.run("touch work")}\nSAY the first answer`)
    expect(first.code).toBe(0)
    const before = model.requests.length
    const ask = ["resume", kept(first.stderr), "--headless", "--prompt", "SAY the second answer"]
    const second = await place.bottle(ask)
    expect(second.stdout).toContain("the second answer")
    expect(second.code).toBe(0)
    const [asked] = model.requests.slice(before).filter(({ method }) => method === "POST")
    expect(asked?.body).toContain("the first answer")
    expect((await place.bottle(["destroy", kept(first.stderr), "--yes"])).code).toBe(0)
  }, 300_000)

  inFull(
    "a prompt that looks like a flag, a file or stdin is a prompt",
    async () => {
      for (const start of ["--version", "@/etc/hostname", "-"]) {
        const result = await headless(`${start}\nSAY it was a prompt`)
        expect([result.code, result.stdout.includes("it was a prompt")]).toEqual([0, true])
      }
    },
    300_000,
  )

  test("the exit code of a CLI that fails is passed on, and its state is kept", async () => {
    const result = await headless("FAIL 400")
    expect(result.code).toBe(1)
    expect(result.stderr).toContain("the agent exited with 1")
    await place.bottle(["destroy", kept(result.stderr), "--yes"])
  }, 300_000)

  inFull(
    "skills that the agent names are found by the CLI, from the operator's folder and from the CLI's own",
    async () => {
      for (const folder of [join(place.botHome, "skills", "lighthouse"), join(place.home, cli.skills, "harbour")]) {
        mkdirSync(join(folder, "notes"), { recursive: true })
        const about = `Knows the ${basename(folder)} by heart.`
        writeFileSync(join(folder, "SKILL.md"), `---\nname: ${basename(folder)}\ndescription: ${about}\n---\nBlink.\n`)
        writeFileSync(join(folder, "notes", "tide.bin"), new Uint8Array([0x74, 0xff, 0x00, 0x01]))
      }
      place.writeAgent("skilled", `bottle: ${cli.name}\nskills: [lighthouse, harbour]`)
      const before = model.requests.length
      const look = cli.run(`cd ~/${cli.skills} && cat */SKILL.md && od -An -tx1 lighthouse/notes/tide.bin`)
      const ask = ["start", "skilled", "--headless", "--prompt", `${look}\nSAY looked`]
      const result = await place.bottle(ask)
      expect([result.code, result.stdout.includes("looked")]).toEqual([0, true])
      const [first, ...later] = model.requests.slice(before).filter(({ method }) => method === "POST")
      for (const name of ["lighthouse", "harbour"]) expect(first?.body).toContain(`Knows the ${name} by heart.`)
      expect(later.at(-1)?.body).toContain("74 ff 00 01")
    },
    300_000,
  )

  test.skipIf(!requirePart("tmux"))(
    "on a terminal: its screen comes up, keys work, attach goes on, nothing inside holds the token, stop leaves nothing",
    async () => {
      for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
      const open = (...args: string[]) => {
        const argv = place.as([placeBinary(place), ...args])
        return startTmux(["env", "-i", ...pairs(place.env), ...argv], { cwd: "/", cols: 100, rows: 40 })
      }
      let tmux = await open("start", cli.name, "--label", "harbour-7", "--yes")
      try {
        await tmux.see(cli.ready)
        if (cli.showsLabel) await tmux.see("harbour-7")
        await ask(tmux, "SAY keys-work", /keys-work[\s\S]*keys-work/)
        const [slug = ""] = place.states()
        // What a CLI has not written down when its terminal goes away it cannot go on with.
        const answers = `grep -rho '"[^"]*keys-work[^"]*"' "$HOME" | grep -vc SAY`
        const written = async () => Number((await place.bottle(["exec", slug, "--", "sh", "-c", answers])).stdout)
        await waitFor("its transcript", async () => (await written()) > 0)
        await tmux.stop()
        const state = async () => JSON.parse((await place.bottle(["list", "active", "--json"])).stdout).active[0]?.state
        await waitFor("the bottle to be idle", async () => (await state()) === "idle")
        tmux = await open("attach", slug)
        await tmux.see(/keys-work[\s\S]*keys-work/)
        await ask(tmux, "SAY still-there", /still-there[\s\S]*still-there/)
        await ask(tmux, cli.run("echo proxied-past-$no_proxy"), /proxied-past-localhost,127.0.0.1,::1(?!,)/)
        const inside = await place.bottle(["exec", slug, "--", "sh", "-c", readAll])
        expect(inside.stdout.length).toBeGreaterThan(1_000)
        expect(inside.stdout).not.toContain(cli.secret)
        const listed = JSON.parse((await place.bottle(["list", "active", "--json"])).stdout)
        expect(listed.active).toMatchObject([{ slug, state: "running", agent: cli.name, degraded: false }])
        const stopped = await place.bottle(["stop", slug])
        expect(stopped.stderr).toContain("nothing left behind")
        expect(place.states()).toEqual([])
        await tmux.stop()
        await waitFor("the last process to end", () => processesOf(slug).length === 0)
        for (const file of new Bun.Glob("**/*").scanSync({ cwd: `${place.botHome}/logs`, absolute: true })) {
          expect(readFileSync(file, "utf8")).not.toContain(cli.secret)
        }
      } finally {
        await tmux.stop()
      }
    },
    300_000,
  )
  return { model: () => model }
}

/** Type a prompt and send it. Codex takes an Enter within a few milliseconds of other keys for a part of a paste. */
async function ask(tmux: TmuxServer, prompt: string, answer: RegExp): Promise<void> {
  await tmux.type(prompt)
  await tmux.see(prompt)
  let sent = 0
  await waitFor(
    `an answer to ${prompt}`,
    async () => {
      if (answer.test(await tmux.screen())) return true
      if (performance.now() - sent > 1_000) {
        sent = performance.now()
        await tmux.keys("Enter")
      }
      return false
    },
    300_000,
  ).catch(async (error) => {
    throw new Error(`${error.message}; the screen shows:\n${await tmux.screen()}`)
  })
}

/** Command lines of host processes that name the slug. */
function processesOf(slug: string): string[] {
  return [...new Bun.Glob("[0-9]*").scanSync({ cwd: "/proc", onlyFiles: false })].flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      return line.includes(slug) ? [line] : []
    } catch {
      // It ended meanwhile.
      return []
    }
  })
}

function pairs(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}

import { afterAll, afterEach, beforeAll } from "bun:test"
import { makePlace, placeBinary, whos } from "./place.ts"
import { requirePart } from "./require.ts"
import { startTmux, type TmuxServer } from "./tmux.ts"
import { ask } from "./tmux-operator.ts"
import { waitFor } from "./wait.ts"

export const dashboardEnabled =
  requirePart("tmux") && requirePart("binary") && requirePart("bwrap") && requirePart("curl")
export const patience = 120_000

/** An engine with an image `agent:1`, on which the bottles run instead of in namespaces (test/soak/dashboard-docker). */
const engine = process.env.BOTTLE_TEST_ENGINE

/** A person's place with a bottle file, and the dashboard in a tmux of the test's own; all of it ends after each test. */
export function useDashboard() {
  const where: Record<string, string> =
    engine === undefined ? {} : { DOCKER_HOST: engine, BOT_BOTTLE_BACKEND: "docker" }
  const place = makePlace(whos.at(-1) ?? "user", where)
  const bin = placeBinary(place)
  const clients: Bun.Subprocess[] = []
  let server: TmuxServer | undefined

  /** A bottle whose agent waits. */
  async function start(label: string): Promise<string> {
    const known = new Set(place.states())
    const argv = place.as([bin, "start", "--headless", "--bottle", "dev", "--label", label, "--", "sleep", "600"])
    clients.push(Bun.spawn(argv, { cwd: place.work, env: place.env, stdio: ["ignore", "ignore", "ignore"] }))
    const slug = await waitFor("its slug", () => place.states().find((one) => !known.has(one)), patience)
    await waitFor(
      "it to run",
      async () => (await rows()).some((row) => row.slug === slug && row.state === "running"),
      patience,
    )
    return slug
  }
  /** A bottle whose pane was closed: its agent has ended, and attaching starts it again. */
  async function idle(label: string): Promise<string> {
    const known = new Set(place.states())
    const argv = [bin, "start", "--yes", "--bottle", "dev", "--label", label, "--", "sh", "-c", "echo agent; cat"]
    const words = ["env", ...Object.entries(place.env).map(([key, value]) => `${key}=${value}`)]
    const shell = await startTmux([...words, ...place.as(argv)], { cwd: place.work })
    await shell.see(/^agent/m, patience)
    await shell.stop()
    const slug = await waitFor("its slug", () => place.states().find((one) => !known.has(one)), patience)
    await waitFor(
      "it to be idle",
      async () => (await rows()).some((row) => row.slug === slug && row.state === "idle"),
      patience,
    )
    return slug
  }
  const rows = async (): Promise<{ slug: string; state: string }[]> =>
    JSON.parse((await place.bottle(["list", "--json"])).stdout).active
  const policy = async (slug: string) => (await place.bottle(["routes", "show", slug])).stdout

  async function open(
    size: { cols?: number; rows?: number } = {},
    env: Record<string, string> = {},
  ): Promise<TmuxServer> {
    const all = { ...place.env, ...env }
    const words = ["env", ...Object.entries(all).map(([key, value]) => `${key}=${value}`)]
    const opened = await startTmux([...words, ...place.as(["sh", "-i"])], { cwd: place.work, ...size })
    server = opened
    await opened.type(`${bin} dashboard; echo "left with $?"`)
    await opened.keys("Enter")
    await opened.see("AGENTS", patience)
    // What is asked before the first look is old, and moves nothing.
    const looked = async () => !(await opened.screen()).includes("looking for proposals")
    await waitFor("the first look at what is asked", looked, patience)
    return opened
  }
  /** Left in an orderly way. */
  const left = () => shown().see("left with 0", patience)
  const shown = (): TmuxServer => {
    if (server === undefined) throw new Error("no dashboard is open")
    return server
  }
  /** What an agent asks; resolves once it is on the screen. */
  async function asks(slug: string, host: string, justification = "because"): Promise<void> {
    void ask(place, slug, { host, justification })
    await shown().see(host, patience)
  }
  const archived = async () =>
    JSON.parse((await place.bottle(["proposals", "list", "--all", "--json"])).stdout).proposals as {
      status: string
      response?: { notes: string; final_file: string }
      proposed_file: string
    }[]
  const about = async (host: string) => (await archived()).find((one) => one.proposed_file.includes(host))
  /** Decisions count after a quiet second. */
  const quiet = () => Bun.sleep(1_100)

  beforeAll(() => {
    const image = engine === undefined ? "" : "\ndocker: {image: 'agent:1'}"
    place.writeBottle("dev", `agent_provider: {template: command}${image}`)
  })
  afterEach(async () => {
    await server?.stop()
    for (const slug of place.states()) await place.bottle(["destroy", slug, "--yes"])
  })
  afterAll(() => {
    for (const client of clients) client.kill()
  })
  const dashboard = () => shown().tmux("capture-pane", "-p", "-t", "%0")
  return {
    ...{ place, start, idle, rows, policy, open, left, asks, about, quiet, dashboard },
    get server() {
      return shown()
    },
  }
}

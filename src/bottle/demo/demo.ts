import { randomBytes } from "node:crypto"
import type { DemoSighting, DemoWishes } from "../../../sidecars/guest/demo-agent.ts"
import { inside } from "../../../sidecars/guest/protocol.ts"
import type { BackendName } from "../../backends/backend.ts"
import { FrameKind, FrameReader } from "../../lib/frames.ts"
import type { Paths } from "../../lib/paths.ts"
import { makeSlug } from "../../lib/slug.ts"
import type { ResolvedBottle } from "../../manifest/types.ts"
import { backendFor } from "../backends.ts"
import { chooseBackend } from "../choose-backend.ts"
import { openSession } from "../client.ts"
import type { Settled } from "../keeper/protocol.ts"
import { insidePlaces, launchMemory, planBottle } from "../plan.ts"
import type { StartWish } from "../plan-types.ts"
import { type Ready, spawnKeeper } from "../start-keeper.ts"
import { StateDir } from "../state.ts"
import { prepareDemoUpstream, startDemoUpstream } from "./upstream.ts"

const host = "api.demo.example"
const placeholder = "demo-placeholder"

/** All that happened in a demo. Whether it went well is for the caller to read off. */
export interface DemoReport {
  slug: string
  backend: string
  ready: Ready
  sightings: DemoSighting[]
  /** The token that only the host and the sidecar knew. */
  token: string
  /** `Authorization` headers that the upstream got. */
  upstreamSaw: string[]
  settled: Settled | undefined
}

/** Run the scripted agent in a real bottle against a small TLS upstream of our own on loopback. */
export async function runDemo(paths: Paths, named: BackendName | undefined, cwd: string): Promise<DemoReport> {
  const backend = await chooseBackend(named)
  const { besideSidecars } = await backendFor(backend.name)
  const elsewhere = besideSidecars === undefined ? undefined : prepareDemoUpstream(host)
  const upstream = elsewhere ?? (await startDemoUpstream(host))
  try {
    const token = `demo-secret-${randomBytes(12).toString("hex")}`
    const wishes: DemoWishes = {
      allowed: `https://${host}/v1/hello`,
      refused: "https://attacker.example/collect",
      direct: { host: "192.0.2.1", port: 443 },
    }
    const wish = demoWish([inside.binary, "demo-agent", JSON.stringify(wishes)], cwd)
    const session = {
      ...{ argv: [...wish.argv], resumeArgv: [...wish.argv], env: { DEMO_TOKEN: placeholder } },
      ...{ files: [], mounts: [], path: [], routes: [], transcripts: [], summary: "a scripted agent" },
    }
    const spec = { wish, agent: undefined, bottle: demoBottle(upstream.port) }
    const slug = makeSlug("demo", randomBytes)
    const keeper = spawnKeeper(slug)
    const plan = planBottle({
      spec,
      slug,
      session,
      backend,
      home: insidePlaces.defaultHome,
      settingsUnbuilt: [],
      readCa: () => upstream.ca,
    })
    const order = {
      plan,
      memory: launchMemory(plan, session, {}),
      secrets: { slots: { DEMO_TOKEN: token } },
      resume: false,
    }
    const ready = await keeper.order(order, () => undefined)
    const record = new StateDir(paths.state(slug)).record()
    if (record !== undefined && besideSidecars !== undefined) {
      await elsewhere?.begin(await besideSidecars(record, ["demo-upstream"]))
    }
    const { lines, settled } = await collect(paths, slug)
    const sightings = lines.map((line) => JSON.parse(line) as DemoSighting)
    return {
      slug,
      backend: `${backend.name}, ${backend.runtime}`,
      ready,
      sightings,
      token,
      upstreamSaw: upstream.seen,
      settled,
    }
  } finally {
    upstream.close()
  }
}

function demoWish(argv: string[], cwd: string): StartWish {
  return {
    ...{ agent: undefined, bottles: [], label: "demo", color: undefined, backend: undefined, copyCwd: false, cwd },
    ...{ headless: true, prompt: undefined, argv, discard: true, keep: false },
  }
}

function demoBottle(port: number): ResolvedBottle {
  const route = {
    ...{ host, scheme: "https" as const, port: 443, allow_private: true, connect_to: `127.0.0.1:${port}`, ca: "demo" },
    matches: [{ methods: ["GET"], paths: [{ type: "prefix" as const, value: "/v1" }] }],
    auth: { scheme: "Bearer", token_ref: "DEMO_TOKEN" },
  }
  return {
    names: ["demo"],
    origins: [],
    env: {},
    provider: { template: "command", settings: {} },
    egress: { routes: [route], log: 0 },
    pipelock: { allowlist: [], dlp: {} },
    gitGate: { user: {}, repos: {} },
    supervise: false,
    namespace: { binds: [] },
    docker: {},
    limits: {},
    slots: ["DEMO_TOKEN"],
    unbuilt: [],
    warnings: [],
  }
}

/** The agent's output, line by line, and how the bottle was settled. */
async function collect(paths: Paths, slug: string): Promise<{ lines: string[]; settled: Settled | undefined }> {
  const socket = await openSession(paths, slug, { op: "attach", pty: null, term: "dumb", stdin: false })
  const reader = new FrameReader()
  const decoder = new TextDecoder()
  let text = ""
  let settled: Settled | undefined
  socket.resume()
  for await (const chunk of socket) {
    for (const { kind, payload } of reader.push(chunk as Buffer)) {
      if (kind === FrameKind.data) text += decoder.decode(payload, { stream: true })
      if (kind === FrameKind.note) settled = JSON.parse(decoder.decode(payload)) as Settled
    }
  }
  return { lines: text.split("\n").filter((line) => line.startsWith("{")), settled }
}

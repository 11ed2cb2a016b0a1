import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { inside } from "../../../sidecars/guest/protocol.ts"
import { hostLook } from "../../../src/providers/host-look.ts"
import { providerFor } from "../../../src/providers/index.ts"
import type { ProviderRequest, ProviderSession } from "../../../src/providers/provider.ts"
import { makeAuthority } from "../../support/model/pki.ts"
import { type PretendModel, startModel } from "../../support/model/server.ts"
import { agentPackages } from "../../support/require.ts"
import { type ConnectProxy, startConnectProxy } from "./connect-proxy.ts"

/** A prepared session with its files written, and the command that runs a program as the bottle would. */
export interface SandboxedSession {
  session: ProviderSession
  home: string
  /** bwrap with nothing but /usr, the session's own mounts and its home; the network is the test's loopback. */
  command(argv: readonly string[]): string[]
}

/** A real agent CLI, a scripted model at its API's name behind a proxy, and sandboxes to join them in. */
export interface AgentWorld {
  root: string
  model: PretendModel
  proxy: ConnectProxy
  /** `name` is a home of its own; the same name again is the same home. */
  prepare(name: string, changes: Partial<ProviderRequest>): Promise<SandboxedSession>
  close(): Promise<void>
}

/** `template` names a provider whose CLI is installed in test/agents, `api` the host that it talks to. */
export async function startAgentWorld(template: string, api: string): Promise<AgentWorld> {
  const bin = join(agentPackages, ".bin")
  const root = mkdtempSync(join(tmpdir(), "providers-"))
  const authority = makeAuthority(join(root, "pki"))
  const model = await startModel({ tls: authority.issue(api) })
  const proxy = await startConnectProxy(model.port)
  const outside = (home: string, path: string) => join(home, path.slice(insideHome.length))
  const prepare = async (name: string, changes: Partial<ProviderRequest>) => {
    const home = join(root, name)
    mkdirSync(join(home, "workspace"), { recursive: true })
    const provider = await providerFor(template)
    const session = await provider.prepare({ ...emptyRequest, ...changes }, hostLook(`${bin}:/usr/bin:/bin`))
    for (const file of session.files) {
      mkdirSync(dirname(outside(home, file.path)), { recursive: true })
      writeFileSync(outside(home, file.path), file.content, { mode: file.mode })
    }
    const command = (argv: readonly string[]) => sandbox(session, home, authority.certFile, proxy.port, argv)
    return { session, home, command }
  }
  const close = async () => {
    proxy.close()
    await model.close()
    rmSync(root, { recursive: true, force: true })
  }
  return { root, model, proxy, prepare, close }
}

const insideHome = "/home/node"
const emptyRequest: ProviderRequest = {
  cli: "host",
  home: insideHome,
  workspace: join(insideHome, "workspace"),
  label: "the-label",
  color: undefined,
  systemPrompt: "",
  settings: {},
  authSlot: undefined,
  prompt: undefined,
  headless: false,
  argv: [],
  supervise: false,
  skills: [],
  ca: inside.ca,
}

function sandbox(session: ProviderSession, home: string, ca: string, port: number, argv: readonly string[]): string[] {
  const links = ["bin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`])
  const mounts = session.mounts.flatMap(({ source, target }) => ["--ro-bind", source, target])
  const environment = {
    ...{ HOME: insideHome, PATH: "/usr/bin:/bin", TERM: "xterm-256color", LANG: "C.UTF-8" },
    ...{ HTTPS_PROXY: `http://127.0.0.1:${port}`, ...session.env },
  }
  return [
    ...["bwrap", "--unshare-all", "--share-net", "--die-with-parent", "--clearenv", "--uid", "1000", "--gid", "1000"],
    ...["--ro-bind", "/usr", "/usr", ...links, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...["--ro-bind", ca, inside.ca, "--bind", home, insideHome, ...mounts],
    ...Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--chdir", join(insideHome, "workspace"), ...argv],
  ]
}

/** What a session's routes let out, as `METHOD path`. */
export function allowedRequests(session: ProviderSession): string[] {
  return session.routes.flatMap(({ matches = [] }) =>
    matches.flatMap(({ methods = [], paths = [] }) =>
      methods.flatMap((method) => paths.map(({ value }) => `${method} ${value}`)),
    ),
  )
}

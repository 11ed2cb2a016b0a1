import { describe, expect, test } from "bun:test"
import { launchMemory, planBottle } from "../../../src/bottle/plan.ts"
import type { BottleSpec, StartWish } from "../../../src/bottle/plan-types.ts"
import { BottleError } from "../../../src/lib/errors.ts"
import type { ResolvedBottle } from "../../../src/manifest/types.ts"
import type { Route } from "../../../src/policy/types.ts"
import type { ProviderSession } from "../../../src/providers/provider.ts"
import { preflightLines } from "../../../src/ui/preflight.ts"

const wish: StartWish = {
  ...{ agent: undefined, bottles: ["dev"], label: undefined, color: undefined, backend: undefined, copyCwd: false },
  ...{ cwd: "/src", headless: false, prompt: undefined, argv: ["true"], discard: false, keep: false },
}
const bottle: ResolvedBottle = {
  ...{ names: ["dev"], origins: [], provider: { template: "command", settings: {} }, supervise: true },
  env: { PLAIN: { kind: "literal", value: "the-literal-value" }, HOST: { kind: "host", name: "X" } },
  ...{ egress: { routes: [], log: 0 }, pipelock: { allowlist: [], dlp: {} }, gitGate: { user: {}, repos: {} } },
  ...{ docker: {}, namespace: { binds: [] }, limits: {}, slots: ["TOKEN"], unbuilt: [], warnings: [] },
}
const session: ProviderSession = {
  ...{ argv: ["true"], resumeArgv: ["true"], env: { TOKEN: "placeholder" }, files: [], mounts: [], path: [] },
  ...{ routes: [], transcripts: [], summary: "true" },
}

function plan(change: { bottle?: Partial<ResolvedBottle>; session?: Partial<ProviderSession> } = {}) {
  const spec: BottleSpec = { wish, agent: undefined, bottle: { ...bottle, ...change.bottle } }
  return planBottle({
    ...{ spec, slug: "dev-abcde", session: { ...session, ...change.session }, home: "/home/node" },
    ...{ backend: { name: "namespace", detail: "bubblewrap", unenforced: [] }, settingsUnbuilt: [] },
    readCa: (path) => `PEM of ${path}`,
  })
}

const route: Route = { host: "api.example", scheme: "https", port: 443 }

describe("a plan", () => {
  test("names environment entries and holds no value of any", () => {
    const made = plan()
    expect(made.env).toEqual([
      { name: "TOKEN", mode: "provider" },
      { name: "PLAIN", mode: "literal" },
      { name: "HOST", mode: "host" },
    ])
    const text = JSON.stringify(made)
    expect(text).not.toContain("the-literal-value")
    expect(text).not.toContain("placeholder")
  })

  test("serves supervise only where the bottle has it, and only then do refusals name its tools", () => {
    const asking = plan()
    expect([asking.sidecars, asking.ports]).toEqual([["egress", "supervise"], { 9099: "egress", 9100: "supervise" }])
    expect(asking.policy.supervise).toBe(true)
    const mute = plan({ bottle: { supervise: false } })
    expect([mute.sidecars, mute.ports]).toEqual([["egress"], { 9099: "egress" }])
    expect([mute.policy.supervise, mute.supervise]).toEqual([false, "off"])
  })

  test("warns with the command to run when the CLI does not know of its operator", () => {
    expect(plan().warnings).toEqual([])
    const [warning] = plan({
      session: { unregistered: ["tiny", "mcp", "add", "it's", "http://127.0.0.1:9100/mcp"] },
    }).warnings
    expect(warning).toEndWith(
      "add them with: bottle exec dev-abcde -- tiny mcp add 'it'\\''s' http://127.0.0.1:9100/mcp",
    )
    expect(plan({ session: { unregistered: "nobody knows" } }).warnings[0]).toContain("at http://127.0.0.1:9100/mcp")
  })

  test("carries the text of an extra CA, which the sidecars could not read", () => {
    const made = plan({ bottle: { egress: { routes: [{ ...route, ca: "/etc/ca.pem" }], log: 0 } } })
    expect(made.policy.routes[0]?.ca).toBe("PEM of /etc/ca.pem")
  })

  test("unites a route that only says where to connect with the provider's own", () => {
    const own = { ...route, matches: [], connect_to: "127.0.0.1:8443" }
    const provider = { ...route, matches: [{ methods: ["POST"] }], auth: { scheme: "Bearer", token_ref: "TOKEN" } }
    const made = plan({ bottle: { egress: { routes: [own], log: 0 } }, session: { routes: [provider] } })
    expect(made.policy.routes).toEqual([{ ...provider, connect_to: "127.0.0.1:8443" }])
  })

  test("refuses to give the provider's token to a host that the operator opened whole without one", () => {
    const provider = { ...route, matches: [{ methods: ["POST"] }], auth: { scheme: "Bearer", token_ref: "TOKEN" } }
    const bad = () => plan({ bottle: { egress: { routes: [route], log: 0 } }, session: { routes: [provider] } })
    expect(bad).toThrow(/route api.example: its auth conflicts/)
  })

  test("stops at a written key without its feature, with position and exit 3", () => {
    const unbuilt = [{ position: "bottles/dev.md:3:1", key: "limits.disk" }]
    const failure = (() => {
      try {
        return plan({ bottle: { unbuilt } })
      } catch (error) {
        return error
      }
    })()
    expect(failure).toBeInstanceOf(BottleError)
    expect((failure as BottleError).message).toBe("bottles/dev.md:3:1 limits.disk: not in this build")
    expect((failure as BottleError).exitCode).toBe(3)
  })
})

test("what may not be in the plan travels beside it", () => {
  const memory = launchMemory(plan(), session, { PLAIN: "the-literal-value" })
  expect(memory.env).toMatchObject({ TOKEN: "placeholder", PLAIN: "the-literal-value", HOME: "/home/node" })
})

describe("the preflight", () => {
  const made = plan({
    bottle: {
      egress: { routes: [{ ...route, auth: { scheme: "Bearer", token_ref: "TOKEN" } }], log: 0 },
      warnings: ["w\u001b[2J"],
    },
  })
  const lines = preflightLines(made)
  const line = (name: string) => lines.find((each) => each.trimStart().startsWith(name)) ?? ""

  test("fits one screen", () => {
    expect(lines.length).toBeLessThan(24)
  })
  test("marks what the agent sees, and what it does not", () => {
    expect(line("env")).toBe("  env        PLAIN, HOST, 1 of the provider's own  (visible to the agent)")
    expect(line("secrets")).toBe("  secrets    TOKEN  (sidecars only)")
  })
  test("says which hosts are open as a whole and which get a token", () => {
    expect(line("routes")).toContain("api.example (whole host) +token")
  })
  test("says whether the agent may ask", () => {
    expect(line("supervise")).toContain("the agent may ask")
  })
  test("lets nothing foreign reach the terminal raw", () => {
    expect(lines.join("")).not.toContain("\u001b")
  })
})

import type { Plan } from "../bottle/plan-types.ts"
import { wrapText } from "./wrap.ts"

/** The plan on one screen (BEHAVIOUR 2): names only, never a value. */
export function preflightLines(plan: Plan): string[] {
  const rows: [string, string][] = [
    ["agent", agentLine(plan)],
    ["bottles", plan.bottles.join(", then ")],
    ["provider", `${plan.provider.template}: ${plan.provider.summary}`],
    ...(plan.skills.length > 0
      ? [["skills", list([...plan.skills], "", "  (visible to the agent)")] as [string, string]]
      : []),
    ["backend", `${plan.backend.name}: ${plan.backend.detail}`],
    ...(plan.docker === undefined
      ? []
      : [
          ["image", imageLine(plan.docker)] as [string, string],
          ["runtime", runtimeLine(plan.docker)] as [string, string],
        ]),
    ["env", list(envNames(plan), "none", "  (visible to the agent)")],
    ["routes", list(plan.policy.routes.map(routeLine), "none: every request is refused")],
    ...(plan.policy.allowlist.length > 0 ? [["hosts", list([...plan.policy.allowlist], "")] as [string, string]] : []),
    ...(plan.policy.upstream_proxy === undefined
      ? []
      : [["proxy", `${plan.policy.upstream_proxy} (which addresses are dialled is its promise)`] as [string, string]]),
    ...(plan.login === undefined
      ? []
      : [
          ["login", `your ${plan.login.template} login, ${plan.login.file}; renewed on this machine`] as [
            string,
            string,
          ],
        ]),
    ["secrets", list([...plan.slots], "none", "  (sidecars only)")],
    ["workspace", plan.copyCwd ? `a copy of ${plan.cwd}` : "empty"],
    [
      "mounts",
      list(
        plan.mounts.map((mount) => `${mount.source}${mount.readonly ? "" : " (writable)"}`),
        "none",
      ),
    ],
    ["limits", limitsLine(plan)],
    ["supervise", plan.supervise],
  ]
  const lines = [`${plan.slug}${plan.label === plan.agent.name ? "" : ` (${plan.label})`}`]
  for (const warning of [...plan.warnings, ...plan.unenforced]) rows.push(["warning", warning])
  for (const [name, text] of rows) lines.push(...wrapText(`  ${name.padEnd(10)} ${text}`, 13))
  return lines
}

/** What the agent's container is made of. */
export function imageLine({ image, build }: NonNullable<Plan["docker"]>): string {
  if (build === undefined) return image ?? "bottle's own (a binary, nothing else)"
  const base = build.args.BASE_IMAGE === undefined ? "" : ` on ${build.args.BASE_IMAGE}`
  return `built from ${build.origin}${base}${build.confined === undefined ? "" : " (changed by the agent, approved)"}`
}

/** What runs the agent's container. */
export const runtimeLine = ({ runtime }: NonNullable<Plan["docker"]>): string => runtime ?? "the engine's own"

/** The operator's own by name; a provider's switches are many and always the same: counted. */
function envNames({ env }: Plan): string[] {
  const own = env.filter(({ mode }) => mode !== "provider").map(({ name }) => name)
  const count = env.length - own.length
  return count === 0 ? own : [...own, `${count} of the provider's own`]
}

function agentLine({ agent }: Plan): string {
  if (agent.origin === undefined) return agent.name
  const { display, sha256, scope } = agent.origin
  const from = scope === "repository" ? "  FROM THIS REPOSITORY" : ""
  return `${agent.name}  ${display}  sha256 ${sha256.slice(0, 12)}${from}`
}

function routeLine(route: Plan["policy"]["routes"][number]): string {
  const port = route.port === (route.scheme === "https" ? 443 : 80) ? "" : `:${route.port}`
  const whole = route.matches === undefined ? " (whole host)" : ""
  const auth = route.auth === undefined ? "" : " +token"
  const insecure = route.scheme === "http" ? "http://" : ""
  const at = route.connect_to === undefined ? "" : ` at ${route.connect_to}`
  return `${insecure}${route.host}${port}${whole}${auth}${at}`
}

function limitsLine({ limits }: Plan): string {
  const parts = Object.entries(limits).map(([name, value]) => `${name} ${value}`)
  return parts.length > 0 ? parts.join(", ") : "none"
}

/** At most eight names, then a count. */
function list(names: readonly string[], none: string, after = ""): string {
  if (names.length === 0) return none
  const shown = names.slice(0, 8).join(", ")
  return `${shown}${names.length > 8 ? `, and ${names.length - 8} more` : ""}${after}`
}

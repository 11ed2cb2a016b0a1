import { askKeeper } from "../../bottle/client.ts"
import { withFrozenSystem } from "../../bottle/frozen-system.ts"
import type { Plan } from "../../bottle/plan-types.ts"
import { listActive } from "../../bottle/registry.ts"
import { StateDir } from "../../bottle/state.ts"
import { explainRoute } from "../../policy/explain.ts"
import { imageLine, runtimeLine } from "../../ui/preflight.ts"
import type { Shell } from "../_shell.ts"
import type { Info } from "../info.ts"

/** A running or kept bottle: its row, the plan it was launched by, and the fence proof of this launch. */
export async function describeRunning(slug: string, { paths }: Shell): Promise<Info> {
  const row = (await listActive(paths)).find((one) => one.slug === slug)
  const state = new StateDir(paths.state(slug))
  const plan = state.plan()
  const status = await askKeeper(paths, slug, { op: "status" }).then(
    (answer) => answer.status,
    () => undefined,
  )
  const probes = status?.probes ?? state.probes
  const failed = probes.filter(({ ok }) => !ok)
  const fence =
    probes.length === 0
      ? `no proof that can be read; see: bottle logs ${slug} --source bringup`
      : `${probes.length - failed.length} of ${probes.length} probes ${status === undefined ? "held when it last ran" : "hold"}`
  const container = plan && containerOf(plan, state)
  return {
    data: { kind: "running", ...row, plan, ...(container === undefined ? {} : { container }), fence: probes },
    fields: [
      ["bottle", slug],
      ["state", row === undefined ? "?" : `${row.state}${row.degraded ? ", degraded: nothing leaves meanwhile" : ""}`],
      ["agent", row?.agent ?? "?"],
      ["under", row?.bottles.join(", then ") || "?"],
      ["provider", plan?.provider.summary ?? row?.provider ?? "?"],
      ["backend", plan === undefined ? (row?.backend ?? "?") : `${plan.backend.name}: ${plan.backend.detail}`],
      ...(container === undefined
        ? []
        : [["image", container.image] as const, ["runtime", container.runtime] as const]),
      ["label", row?.label ?? "?"],
      ["login", status?.login ?? []],
      ["started", row?.startedAt ?? "?"],
      ["refused", String(row?.refused ?? "?")],
      [
        "sidecars",
        row?.sidecars.map(({ name, state, restarts }) => `${name} ${state}, restarted ${restarts} times`) ?? [],
      ],
      ["routes", plan?.policy.routes.map(explainRoute) ?? []],
      ["warning", [...(plan?.warnings ?? []), ...(plan?.unenforced ?? [])]],
      ["env", plan?.env.map(({ name, mode }) => `${name} (${mode}; visible to the agent)`) ?? []],
      [
        "fence",
        [fence, ...probes.map(({ side, name, ok, detail }) => `${ok ? "ok  " : "FAIL"} ${side} ${name}: ${detail}`)],
      ],
    ],
  }
}

/** What a docker bottle's agent runs in; undefined on other backends. */
function containerOf(plan: Plan, { system }: StateDir): { image: string; runtime: string } | undefined {
  const docker = withFrozenSystem(plan, system)
  if (plan.docker === undefined || docker === undefined) return undefined
  const image =
    system !== undefined && docker.image === system.name ? `as it was frozen, ${docker.image}` : imageLine(docker)
  return { image, runtime: runtimeLine(docker) }
}

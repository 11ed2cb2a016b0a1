import { printRouteList } from "../policy/route-text.ts"
import type { EgressPolicy, Route } from "../policy/types.ts"

/** A text as what it means, or why it means nothing, for whoever wrote it. */
export type Parsed<T> = { kind: "ok"; value: T } | { kind: "bad"; why: string }

/** Routes in the words of a manifest. `by` decides how much may be said: an agent's route has no say over how its host is dialled. */
export async function parseRoute(text: string): Promise<Parsed<Route>> {
  const parsed = await parseYaml(text, "route")
  if (parsed.kind === "bad") return parsed
  const route = parsed.value as Route
  const odd = Object.keys(route).find((key) => !proposable.has(key))
  return odd === undefined
    ? { kind: "ok", value: route }
    : { kind: "bad", why: `${odd}: a proposal cannot ask for it; the operator writes it in the bottle file` }
}

const proposable: ReadonlySet<string> = new Set(["host", "scheme", "port", "matches", "auth"])

/** A whole list of routes, as `bottle routes edit` gives it. */
export async function parseRoutes(text: string): Promise<Parsed<Route[]>> {
  const parsed = await parseYaml(text, "routes")
  return parsed.kind === "bad" ? parsed : { kind: "ok", value: parsed.value as Route[] }
}

async function parseYaml(text: string, what: "route" | "routes"): Promise<Parsed<unknown>> {
  const [{ readDocument }, { checkDocument }, { routeSchema }, z] = await Promise.all([
    import("../manifest/source/document.ts"),
    import("../manifest/schema/check.ts"),
    import("../manifest/schema/route.ts"),
    import("zod"),
  ])
  const document = readDocument(text, { firstLine: 1 })
  // An empty list is a list; checkDocument takes nothing at all for an empty map.
  if (what === "routes" && document.problems.length === 0 && document.data === null) return { kind: "ok", value: [] }
  const checked = checkDocument(document, what === "route" ? routeSchema : z.array(routeSchema))
  if (checked.kind === "ok") return { kind: "ok", value: checked.value }
  const [problem] = checked.problems
  const { place, path, message } = problem ?? { place: { line: 1, col: 1 }, path: "", message: "not a route" }
  return { kind: "bad", why: `line ${place.line}: ${path === "" ? "" : `${path}: `}${message}` }
}

/** What a policy says, as one text: what a diff of it is made from. Rules for one request stand at its end. */
export function printPolicy(policy: EgressPolicy): string {
  const once = policy.once ?? []
  return [
    `routes:\n${printRouteList(policy.routes.map(shortCa))}`,
    ...(policy.allowlist.length === 0 ? [] : [`allowlist:\n${policy.allowlist.map((host) => `- ${host}\n`).join("")}`]),
    ...(once.length === 0 ? [] : [`once:\n${printRouteList(once.map(({ route }) => shortCa(route)))}`]),
  ].join("")
}

/** A whole certificate says less than that there is one. */
function shortCa(route: Route): Route {
  return route.ca?.includes("-----BEGIN") ? { ...route, ca: "(a certificate of the operator's)" } : route
}

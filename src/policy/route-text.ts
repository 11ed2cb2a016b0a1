import { type Printable, printYaml } from "../lib/yaml-text.ts"
import type { EgressPolicy, Route, RouteMatch } from "./types.ts"

/** One route as YAML in the words of a manifest, complete: what a proposal or a decision holds. */
export function printRoute(route: Route): string {
  return printYaml(routeWords(route))
}

/** Routes in the same words, as a list: what an operator edits, and what a diff of a policy is made from. */
export function printRouteList(routes: readonly Route[]): string {
  return printYaml(routes.map(routeWords))
}

/** The same as data. */
export function routeWords(route: Route): { [key: string]: Printable | undefined } {
  const { auth, dlp, connect_to, ca } = route
  return { ...wordsOf(route), auth: auth && { ...auth }, dlp: dlp as Printable | undefined, connect_to, ca }
}

/**
 * What a bottle may reach, as YAML for its agent: routes in the words of a manifest, then the allowlist. Left out are
 * names of secrets, `connect_to`, `ca` and `dlp`.
 */
export function printRoutesForAgent({ routes, allowlist }: Pick<EgressPolicy, "routes" | "allowlist">): string {
  return printYaml({ routes: routes.map(shownToAgent), allowlist })
}

/** The routes alone, for the agent: `routes.yaml` of its current-config. */
export function printRouteTable(routes: readonly Route[]): string {
  return `# What this bottle may reach; a host without a rule here or in allowlist is refused.\n${printYaml({ routes: routes.map(shownToAgent) })}`
}

function shownToAgent(route: Route): { [key: string]: Printable | undefined } {
  return { ...wordsOf(route), auth: route.auth && { scheme: route.auth.scheme } }
}

/** The members that say nothing of secrets or of where a host is dialled, without what is usual. */
function wordsOf(route: Route): { [key: string]: Printable | undefined } {
  const usual = route.scheme === "https" ? 443 : 80
  const prefixes = onlyPrefixes(route.matches)
  return {
    host: route.host,
    scheme: route.scheme === "https" ? undefined : route.scheme,
    port: route.port === usual ? undefined : route.port,
    ...(prefixes === undefined ? { matches: route.matches?.map(matchWords) } : { path_allowlist: prefixes }),
    git: route.git?.fetch === undefined ? undefined : { fetch: route.git.fetch },
    websocket: route.websocket,
    allow_private: route.allow_private,
    keep_headers: route.keep_headers,
  }
}

function matchWords({ paths, methods, headers }: RouteMatch): { [key: string]: Printable | undefined } {
  return {
    paths: paths?.map(({ type, value }) => ({ type, value })),
    methods,
    headers: headers?.map(({ name, value }) => ({ name, value })),
  }
}

/** The short form, where it says the same. */
function onlyPrefixes(matches: Route["matches"]): string[] | undefined {
  const [only] = matches ?? []
  if (only?.paths === undefined || matches?.length !== 1) return undefined
  if (only.methods !== undefined || only.headers !== undefined) return undefined
  return only.paths.every(({ type }) => type === "prefix") ? only.paths.map(({ value }) => value) : undefined
}

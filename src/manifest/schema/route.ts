import * as z from "zod"
import { checkPathRule } from "../../policy/compile.ts"
import type { PathRule, Route, RouteMatch } from "../../policy/types.ts"
import { parseConnectTo } from "../values/connect-to.ts"
import { hostPattern, parsed, slotName } from "./parts.ts"

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const noneMatch = "an empty list would match nothing: leave the key out to match everything"

const pathRule = z
  .strictObject({
    type: z.enum(["prefix", "exact", "regex"]).describe("How value is compared with the path; regex is anchored."),
    value: z.string().describe("The path, or a regular expression for the whole path."),
  })
  .superRefine((rule, ctx) => refusePath(rule, ctx, ["value"]))

const pathPrefix = z.string().superRefine((value, ctx) => refusePath({ type: "prefix", value }, ctx, []))

function refusePath(rule: PathRule, ctx: z.RefinementCtx, path: string[]): void {
  const absolute = rule.type === "regex" || rule.value.startsWith("/")
  const why = absolute ? checkPathRule(rule) : "a path begins with /"
  if (why !== undefined) ctx.addIssue({ code: "custom", message: `can never match: ${why}`, path })
}

const method = z
  .string()
  .regex(/^[A-Za-z][A-Za-z-]{0,31}$/, "not a request method")
  .transform((text, ctx) => {
    const name = text.toUpperCase()
    if (name === "TRACE" || name === "CONNECT")
      ctx.addIssue({ code: "custom", message: `${name} is never let through` })
    return name
  })

const headerName = z.string().regex(token, "not a header name")

const headerRule = z.strictObject({
  name: headerName.describe("Header that must be present."),
  value: z
    .string()
    .regex(/^[^\r\n\0]*$/, "must be one line")
    .exactOptional()
    .describe("Its exact value."),
})

const match = z.strictObject({
  paths: z.array(pathRule).min(1, noneMatch).exactOptional().describe("Any of these paths. Absent: every path."),
  methods: z.array(method).min(1, noneMatch).exactOptional().describe("Any of these methods. Absent: every method."),
  headers: z.array(headerRule).min(1, noneMatch).exactOptional().describe("All of these headers."),
})

const auth = z.strictObject({
  scheme: z
    .string()
    .regex(
      /^(?:Bearer|token|Basic|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/,
      "expected Bearer, token, Basic or header:<Name>",
    )
    .describe("How the token is sent: Bearer, token or Basic in Authorization, or header:<Name>."),
  token_ref: slotName.describe("Name of the slot that holds the token. Never the token."),
})

/** One entry of `egress.routes`; parsed, it is the policy's own `Route`, `ca` being a path still. */
export const routeSchema = z
  .strictObject({
    host: hostPattern.describe("Host name or address, or *.example.com for its subdomains."),
    scheme: z.enum(["https", "http"]).exactOptional().describe("Default https."),
    port: z.int().min(1).max(65_535).exactOptional().describe("Default 443, or 80 for http."),
    matches: z.array(match).exactOptional().describe("Any entry may match; within one, all that is given must."),
    path_allowlist: z.array(pathPrefix).min(1, noneMatch).exactOptional().describe("Short form: path prefixes."),
    auth: auth.exactOptional().describe("The operator's token, put in by egress; the agent never sees it."),
    keep_headers: z
      .array(headerName)
      .exactOptional()
      .describe("Credential headers or query parameters of the agent's own that pass although auth is set."),
    git: z
      .strictObject({ fetch: z.boolean().exactOptional().describe("Let git fetch and clone through.") })
      .exactOptional()
      .describe("git over https; pushes go through git-gate."),
    dlp: z.record(z.string(), z.unknown()).exactOptional().describe("Scanning of this host's traffic."),
    allow_private: z.boolean().exactOptional().describe("Dial addresses that are not on the public internet."),
    connect_to: z
      .string()
      .transform(parsed(parseConnectTo))
      .exactOptional()
      .describe("Address or host:port to dial instead; the name in TLS and Host stays."),
    ca: z.string().min(1, "cannot be empty").exactOptional().describe("File of one more CA for this host, PEM."),
    websocket: z.boolean().exactOptional().describe("Let WebSocket upgrades through."),
  })
  .transform((written, ctx): Route => {
    const { path_allowlist: prefixes, matches, scheme = "https", port, ...rest } = written
    if (written.auth !== undefined && scheme === "http") refuse(ctx, "auth", "a token is sent over https only")
    if (written.auth !== undefined && written.host.startsWith("*.")) {
      refuse(ctx, "auth", "a token is sent to one host, not to a wildcard")
    }
    if (matches !== undefined && prefixes !== undefined) {
      refuse(ctx, "path_allowlist", "write either matches or path_allowlist")
    }
    const short = prefixes && [{ paths: prefixes.map((value) => ({ type: "prefix" as const, value })) }]
    const wanted: readonly RouteMatch[] | undefined = matches ?? short
    return {
      ...rest,
      scheme,
      port: port ?? (scheme === "https" ? 443 : 80),
      ...(wanted === undefined ? {} : { matches: wanted }),
    }
  })

function refuse(ctx: z.RefinementCtx, key: string, message: string): void {
  ctx.addIssue({ code: "custom", message, path: [key] })
}

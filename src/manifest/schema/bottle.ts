import * as z from "zod"
import { parseUpstreamProxy } from "../values/connect-to.ts"
import { parseEnvMode, refuseEnvName } from "../values/env-mode.ts"
import { duration, gitUser, hostPattern, manifestName, parsed, size, slotName } from "./parts.ts"
import { routeSchema } from "./route.ts"

const envName = z.string().superRefine((name, ctx) => {
  const why = refuseEnvName(name)
  if (why !== undefined) ctx.addIssue({ code: "custom", message: why })
})

/** Numbers and booleans arrive as the text that was written; the union is for editors. */
const envForms = z.union([z.string(), z.number(), z.boolean()], {
  error: ({ input }) =>
    input === null ? 'nothing is written: "" is an empty value' : "expected one text, number, true or false",
})

const envValue = envForms.transform((value, ctx) => {
  const text = String(value)
  if (text.includes("\0")) ctx.addIssue({ code: "custom", message: "cannot hold a NUL" })
  return parseEnvMode(text)
})

export const bindSchema = z.union([
  z.string(),
  z.strictObject({
    source: z.string().describe("Directory or file on this machine: absolute, or ~/…"),
    target: z.string().exactOptional().describe("Absolute path inside. Default: the same as source."),
    readonly: z.boolean().exactOptional().describe("Default true."),
  }),
])

const limits = z.strictObject({
  memory: size.exactOptional().describe("Memory, such as 2g."),
  cpus: z.number().positive().max(4096).exactOptional().describe("Processors, such as 1.5."),
  pids: z.int().min(16).max(4_194_304).exactOptional().describe("Processes and threads."),
  disk: size.exactOptional().describe("Bytes written to home and workspace together, such as 10g."),
  wall_clock: duration.exactOptional().describe("Time after which the session ends, such as 8h."),
})

const imageName = z
  .string()
  .regex(/^[a-z0-9][A-Za-z0-9._/:@-]{0,254}$/, "expected the name of an image, such as debian:12-slim")

const template = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "expected claude, codex, pi, command or a name under contrib/")

export const extendsSchema = z.union([manifestName, z.array(manifestName)])

/** Frontmatter of `bottles/<name>.md`. */
export const bottleSchema = z.strictObject({
  extends: extendsSchema
    .exactOptional()
    .describe("Bottle or bottles to start from, folded left to right, then this file."),
  env: z
    .record(envName, envValue)
    .exactOptional()
    .describe(
      `Variables that the agent sees: ?question asks, \${NAME} takes it from the host, anything else is literal.`,
    ),
  agent_provider: z
    .strictObject({
      template: template
        .exactOptional()
        .describe("claude, codex, pi, command (the default), or a name under contrib/."),
      dockerfile: z
        .string()
        .min(1)
        .exactOptional()
        .describe("Dockerfile of the agent's image: absolute, ~/…, or beside this file."),
      auth_token: slotName.exactOptional().describe("Name of the slot that holds the CLI's real token."),
      forward_host_credentials: z.boolean().exactOptional().describe("Use the host's own login of this CLI."),
      settings: z.record(z.string(), z.unknown()).exactOptional().describe("What this provider understands."),
    })
    .exactOptional()
    .describe("Which agent CLI runs and how it is driven."),
  egress: z
    .strictObject({
      routes: z.array(routeSchema).exactOptional().describe("What may be reached. Nothing else leaves."),
      log: z.literal([0, 1, 2]).exactOptional().describe("0 refusals, 1 a line a request, 2 also headers."),
      upstream_proxy: z.string().transform(parsed(parseUpstreamProxy)).exactOptional().describe("http://host:port"),
    })
    .exactOptional()
    .describe("The gate for requests. Written in a child it replaces its parents'."),
  pipelock: z
    .strictObject({
      allowlist: z.array(hostPattern).exactOptional().describe("Whole hosts that need no route."),
      dlp: z.record(z.string(), z.unknown()).exactOptional().describe("Scanning of what leaves and comes back."),
    })
    .exactOptional()
    .describe("The second gate: whole hosts and content."),
  "git-gate": z
    .strictObject({
      user: gitUser.exactOptional().describe("Git identity inside."),
      repos: z
        .record(z.string(), z.looseObject({ url: z.string().min(1).describe("Where the repository is.") }))
        .exactOptional()
        .describe("Repositories the agent may push to, by name."),
    })
    .exactOptional()
    .describe("Git identity and remotes."),
  supervise: z
    .union(
      [
        z.boolean(),
        z.strictObject({
          expire: duration
            .exactOptional()
            .describe("Time after which a proposal that nobody answered expires, such as 8h."),
        }),
      ],
      { error: "expected true, false, or keys with values" },
    )
    .exactOptional()
    .describe("Whether the agent can ask the operator for more, or how. Default true."),
  namespace: z
    .strictObject({
      binds: z.array(bindSchema).exactOptional().describe("/path[:/target][:rw], or source and target."),
    })
    .exactOptional()
    .describe("What only the namespace backend understands."),
  docker: z
    .strictObject({
      image: imageName.exactOptional().describe("Image of the agent's container, which the engine must have."),
      base_image: imageName
        .exactOptional()
        .describe("Image to build the agent's on, in place of what its Dockerfile's ARG BASE_IMAGE says."),
      runtime: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "expected the name of a runtime, such as runc")
        .exactOptional()
        .describe("Runtime of the agent's container. Default: runsc (gVisor) where the engine has it, else its own."),
    })
    .exactOptional()
    .describe("What only the docker backend understands."),
  limits: limits.exactOptional().describe("Bounds on what the bottle uses."),
})

export type WrittenBottle = z.output<typeof bottleSchema>
export type WrittenBind = z.output<typeof bindSchema>

import * as z from "zod"
import { routeSchema } from "../../manifest/schema/route.ts"
import { refuseEnvName } from "../../manifest/values/env-mode.ts"
import type { Route } from "../../policy/types.ts"
import { findUnknown, type PlaceholderName } from "./placeholders.ts"

/** Text with placeholders of these names only. */
const template = (...allowed: PlaceholderName[]) =>
  z
    .string()
    .regex(/^[^\0]*$/, "cannot hold a NUL")
    .superRefine((text, ctx) => {
      const unknown = findUnknown(text, allowed)
      if (unknown === undefined) return
      const known = allowed.map((name) => `{${name}}`).join(", ")
      ctx.addIssue({ code: "custom", message: `${unknown} cannot stand here; known: ${known}` })
    })

const programName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/, "expected the name of a program on PATH")

const session = template("home", "workspace", "system_prompt_file", "ca")
const asked = template("prompt", "home", "workspace", "system_prompt_file", "ca")
const argv = z.array(session).max(100, "too many arguments")
const askedArgv = z
  .array(asked)
  .max(100, "too many arguments")
  .refine((words) => words.some((word) => word.includes("{prompt}")), "{prompt} must stand in one of the arguments")

/** A place below the home: nothing absolute, nothing that climbs. */
const homePath = z
  .string()
  .max(200, "is too long")
  .regex(/^[A-Za-z0-9._@+-]+(\/[A-Za-z0-9._@+-]+)*$/, "expected a path below the home, such as .tool/config.json")
  .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), "cannot hold . or ..")

const envName = z.string().superRefine((name, ctx) => {
  const why = refuseEnvName(name)
  if (why !== undefined) ctx.addIssue({ code: "custom", message: why })
})

/** Stands for the slot that a bottle's `agent_provider.auth_token` names. */
export const slotOfBottle = "AUTH_TOKEN"

const { auth: anyAuth, matches: anyMatches } = routeSchema.in.shape
const bareAuth = anyAuth.unwrap().omit({ token_ref: true })
const pinned = anyMatches
  .unwrap()
  .min(1, "name the requests that the CLI makes")
  .superRefine((matches, ctx) => {
    for (const [index, { methods, paths }] of matches.entries()) {
      if (methods === undefined) ctx.addIssue({ code: "custom", message: "methods are missing", path: [index] })
      if (paths === undefined) ctx.addIssue({ code: "custom", message: "paths are missing", path: [index] })
    }
  })

const file = z.strictObject({
  path: homePath.describe("Below the home inside."),
  content: z.string().describe("What it holds; {home}, {workspace}, {system_prompt_file} and {ca} are filled in."),
  executable: z.boolean().exactOptional().describe("Default false."),
})

/**
 * A route with its methods and paths pinned. Where to dial and what else a host may be trusted with is said by the
 * bottle; the token that is put in is the bottle's `auth_token`.
 */
const route = routeSchema.in
  .omit({
    ...{ scheme: true, matches: true, path_allowlist: true, auth: true, keep_headers: true },
    ...{ git: true, dlp: true, allow_private: true, connect_to: true, ca: true },
  })
  .extend({
    auth: bareAuth.exactOptional().describe("How the bottle's auth_token is put in."),
    matches: pinned.describe("The requests it may make, each with methods and paths."),
  })
  .transform((written, ctx): Route => {
    if (written.auth !== undefined && written.host.startsWith("*.")) {
      ctx.addIssue({ code: "custom", message: "a token is sent to one host, not to a wildcard", path: ["auth"] })
    }
    const { auth, port = 443, ...rest } = written
    const route: Route = { ...rest, scheme: "https", port }
    return auth === undefined ? route : { ...route, auth: { ...auth, token_ref: slotOfBottle } }
  })

/** `contrib/<name>/provider.yaml`: how to drive one more agent CLI. Data only: nothing in it runs on the host. */
export const contribSchema = z.strictObject({
  command: z
    .strictObject({
      program: programName.describe("The CLI's name on the operator's PATH."),
      show: z.enum(["file", "package"]).exactOptional().describe("What is shown inside: the file, or its npm package."),
      runtime: programName
        .exactOptional()
        .describe("Program that runs it, such as node; also found on PATH and shown."),
    })
    .describe("The CLI."),
  args: argv.exactOptional().describe("Its arguments on a terminal."),
  resume: argv.exactOptional().describe("The same to go on with the last session. Absent: args again."),
  headless: askedArgv.exactOptional().describe("Its arguments for one {prompt}. Absent: no headless sessions."),
  headless_resume: askedArgv.exactOptional().describe("The same to go on. Absent: headless again."),
  programs: z
    .array(programName)
    .max(20)
    .exactOptional()
    .describe("Further programs of the operator's, put on PATH inside."),
  env: z
    .record(envName, session)
    .exactOptional()
    .describe("Variables the CLI needs. Visible to the agent: a placeholder, never a secret."),
  files: z.array(file).max(64).exactOptional().describe("Files written before it starts."),
  routes: z.array(route).max(20).exactOptional().describe("What it may reach, with methods and paths."),
  supervise: z
    .strictObject({
      files: z
        .array(file)
        .min(1)
        .max(8)
        .exactOptional()
        .describe(
          "Files by which it finds its operator's MCP server at {supervise_url}; one replaces its like in files.",
        ),
      register: z
        .array(template("home", "workspace", "supervise_url"))
        .min(1)
        .max(100)
        .exactOptional()
        .describe(
          "Where no file does: the command that adds the server at {supervise_url} from inside. Shown to you, not run.",
        ),
    })
    .exactOptional()
    .describe("How the CLI gets the tools by which an agent asks you for more; for bottles that have supervise."),
  transcripts: z.array(homePath).max(20).exactOptional().describe("Folders below the home that hold its sessions."),
  skills: homePath.exactOptional().describe("Folder below the home where it looks for skills."),
})

export type ContribDescription = z.output<typeof contribSchema>

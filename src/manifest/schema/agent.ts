import * as z from "zod"
import { gitUser, manifestName } from "./parts.ts"

const unused = (what: string) => z.string().exactOptional().describe(`${what} Accepted for Claude Code, unused here.`)

/** Frontmatter of `agents/<name>.md`; the body is the system prompt. */
export const agentSchema = z.strictObject({
  bottle: z
    .union([manifestName, z.array(manifestName)])
    .exactOptional()
    .describe("Bottle or bottles it suggests, in merge order."),
  skills: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "not a skill's name"))
    .exactOptional()
    .describe("Skills of the operator's that are copied in."),
  "git-gate": z
    .strictObject({ user: gitUser.exactOptional().describe("Git identity inside.") })
    .exactOptional()
    .describe("Git identity."),
  name: unused("Name of the subagent; the file's name counts."),
  description: z.string().max(4000, "is too long").exactOptional().describe("What it is for, for lists."),
  model: unused("Model of the subagent."),
  color: unused("Colour of the subagent."),
  memory: unused("Memory scope of the subagent."),
})

export type WrittenAgent = z.output<typeof agentSchema>

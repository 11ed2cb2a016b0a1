import * as z from "zod"
import { backendNames } from "../backends/backend.ts"
import { BottleError } from "../lib/errors.ts"
import { colors } from "./_colors.ts"

/** Callers from plain JavaScript have no types: what they give is checked here, where it would take effect. */

const words = z.string().regex(/^[^\0]*$/, "cannot hold a NUL")
const session = {
  prompt: words.optional(),
  backend: z.enum(backendNames).optional(),
  forgeEnv: z.record(z.string(), words).optional(),
  output: z.boolean(),
}

const requestSchema = z.discriminatedUnion("op", [
  z.strictObject({
    op: z.literal("start"),
    agent: words,
    bottles: z.array(words).optional(),
    label: words.optional(),
    color: z.enum(colors).optional(),
    copyCwd: z.boolean().optional(),
    cwd: z.string().startsWith("/", "must be absolute"),
    argv: z.array(words).optional(),
    ...session,
  }),
  z.strictObject({ op: z.literal("resume"), slug: words, ...session }),
  z.strictObject({ op: z.literal("freeze"), slug: words }),
  z.strictObject({ op: z.literal("destroy"), slug: words }),
  z.strictObject({ op: z.literal("list") }),
])

export type ApiRequest = z.output<typeof requestSchema>

/** A request of `src/api.ts`. Throws `BottleError` that names the option. */
export function parseApiRequest(line: string): ApiRequest {
  const parsed = requestSchema.safeParse(JSON.parse(line))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const option = issue?.path.join(".") ?? ""
  throw new BottleError(`${option === "" ? "the call" : option}: ${issue?.message ?? "cannot be read"}`, {
    code: "bad-option",
    exit: "usage",
    hint: "see the types of bot-bottle's API",
  })
}

import * as z from "zod"
import { readHostPattern } from "../../policy/host-pattern.ts"
import { namePattern, nameRule } from "../names.ts"
import { durationRule, type Parsed, parseDuration, parseSize, sizeRule } from "../values/sizes.ts"

/** Run a parser of ours inside a schema: what it refuses becomes an issue at this place. */
export function parsed<T>(parse: (text: string) => Parsed<T>) {
  return (text: string, ctx: z.RefinementCtx): T => {
    const result = parse(text)
    if (result.kind === "value") return result.value
    ctx.addIssue({ code: "custom", message: result.why })
    return z.NEVER
  }
}

/** Name of a slot or of a secret in settings.yml. Never a value. */
export const slotName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/, "expected a name such as API_TOKEN (capitals, digits, _), not a secret itself")

/** Name of an agent or bottle. */
export const manifestName = z.string().regex(namePattern, nameRule)

export const size = z.string(sizeRule).transform(parsed(parseSize))
export const duration = z.string(durationRule).transform(parsed(parseDuration))

/** A host, or `*.` and a host of at least two labels. */
export const hostPattern = z.string().transform(parsed(readHostPattern))

/** One line of ordinary text. */
export const line = z
  .string()
  .max(200, "is too long")
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, "must be one line without control characters")

/** Who git says made a commit. */
export const gitUser = z.strictObject({
  name: line
    .regex(/^[^<>]+$/, "cannot be empty or hold < or >")
    .exactOptional()
    .describe("Author name of commits."),
  email: line
    .regex(/^[^<>\s]+$/, "cannot be empty or hold < > or spaces")
    .exactOptional()
    .describe("Author address of commits."),
})

/** argv of a program: never run through a shell. */
export const argv = z
  .array(
    z
      .string()
      .min(1, "cannot be empty")
      .regex(/^[^\0]*$/, "cannot hold a NUL"),
  )
  .min(1, "cannot be empty")

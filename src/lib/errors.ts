/** Exit codes of every command (DESIGN §8). `start --headless` and `attach` pass the agent's own code through. */
export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  badManifest: 3,
  missingPart: 4,
  notFound: 5,
  denied: 6,
  pending: 7,
  integrity: 8,
  /** Our own failure where the agent's exit code would be passed through. */
  ourFailure: 125,
  cancelled: 130,
} as const

export type ExitCodeName = keyof typeof ExitCode

export interface BottleErrorFields {
  /** Stable, kebab-case name of the failure, for `--json` and the API. */
  code: string
  /** A number: the agent's own exit code, passed on. */
  exit: ExitCodeName | number
  /** What the person can do next, one line. */
  hint?: string
  /** The bottle it happened in, where whoever is told could not know it. */
  slug?: string
  cause?: unknown
}

/**
 * A failure that the user can mend: it is printed as `message`, then `hint`, never as a stack trace.
 * Refusals of policy are values, not errors.
 */
export class BottleError extends Error {
  override readonly name = "BottleError"
  readonly code: string
  readonly exitCode: number
  readonly hint: string | undefined
  readonly slug: string | undefined

  constructor(message: string, fields: BottleErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause })
    this.code = fields.code
    this.exitCode = typeof fields.exit === "number" ? fields.exit : ExitCode[fields.exit]
    this.hint = fields.hint
    this.slug = fields.slug
  }
}

import { BottleError } from "../lib/errors.ts"
import type { ProviderRequest } from "./provider.ts"

/** What every CLI's provider refuses: a command after `--`, and a headless session without a prompt. */
export function refuseUnfit(want: ProviderRequest, name: string, settingsHint: string): void {
  if (want.argv.length > 0) {
    throw new BottleError(`the ${name} provider takes no command`, {
      code: "argv-not-taken",
      exit: "usage",
      hint: settingsHint,
    })
  }
  if (want.headless && (want.prompt ?? "").trim() === "") {
    throw new BottleError(`a headless ${name} session needs a prompt`, {
      code: "no-prompt",
      exit: "usage",
      hint: "give it with --prompt",
    })
  }
}

export function hasSystemPrompt(want: ProviderRequest): boolean {
  return want.systemPrompt.trim() !== ""
}

/** The CLI for the preflight; `source` is undefined where it is the image's, whose version is not known here. */
export function cliSummary(
  name: string,
  { version, source }: { version: string | undefined; source: string | undefined },
): string {
  return source === undefined
    ? `${name}, as its image has it`
    : `${name} ${version ?? "(version unknown)"} from ${source}`
}

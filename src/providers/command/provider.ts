import { BottleError } from "../../lib/errors.ts"
import type { Provider, ProviderRequest, ProviderSession } from "../provider.ts"

/**
 * Runs whatever stands after `--`: it brings no files, no environment and no routes of its own, so a bottle with it
 * is exactly what its file says. Going on with an earlier session means running the command again.
 */
export const commandProvider: Provider = {
  template: "command",
  prepare: async (want) => prepareCommand(want),
}

function prepareCommand(want: ProviderRequest): ProviderSession {
  const [unknown] = Object.keys(want.settings)
  if (unknown !== undefined) {
    throw new BottleError(`agent_provider.settings.${unknown}: the command provider has no settings`, {
      code: "bad-provider-settings",
      exit: "badManifest",
      hint: "remove agent_provider.settings, or name the provider it was meant for",
    })
  }
  if (want.prompt !== undefined) {
    throw new BottleError("the command provider takes no prompt", {
      code: "prompt-not-taken",
      exit: "usage",
      hint: "give the command and its arguments after --",
    })
  }
  if (want.argv.length === 0 || want.argv[0] === "") {
    throw new BottleError("this bottle's provider needs a command to run", {
      code: "no-command",
      exit: "usage",
      hint: "give it after --, for example: bottle start <agent> -- bash",
    })
  }
  return {
    argv: [...want.argv],
    resumeArgv: [...want.argv],
    env: {},
    files: [],
    mounts: [],
    path: [],
    routes: [],
    transcripts: [],
    summary: `command: ${want.argv.join(" ")}`,
  }
}

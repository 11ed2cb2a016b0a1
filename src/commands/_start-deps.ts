import { homedir } from "node:os"
import type { SecretDeps } from "../bottle/secrets.ts"
import type { StartDeps } from "../bottle/start.ts"
import { BottleError } from "../lib/errors.ts"
import { createManifests } from "../manifest/load.ts"
import { loadSettings, type Settings } from "../manifest/settings.ts"
import type { Shell } from "./_shell.ts"

/** Everything `start` and `resume` need, wired to the process. */
export async function startDeps(shell: Shell): Promise<StartDeps> {
  const { env, paths, cwd } = shell
  const settings = await loadSettings(paths.settings)
  return {
    env,
    paths,
    settings,
    manifests: createManifests({ home: paths.home, userHome: env.HOME || homedir(), cwd }),
    secrets: secretDeps(shell, settings, { ...(await paneEnvironment(env)), ...env }),
  }
}

/**
 * A tmux server's environment is as old as the server. A pane that was opened from another one names that one's shell,
 * and what that shell was started with fills the gaps: for the names that a bottle declares, and nothing else.
 */
async function paneEnvironment({ BOTTLE_SHELL_PID: pid }: Shell["env"]): Promise<Shell["env"]> {
  if (pid === undefined) return {}
  const { environmentOf } = await import("../lib/environment-of.ts")
  return environmentOf(pid)
}

function secretDeps(shell: Shell, settings: Settings, env: Shell["env"]): SecretDeps {
  return {
    env,
    sources: settings.secrets ?? {},
    runCommand: (argv) => runCommand(argv, shell.env),
    async readKeyring(name) {
      const { readSecret } = await import("../lib/keyring.ts")
      return readSecret(name)
    },
    ask: (question) => shell.terminal.askSecret(question, question),
  }
}

async function runCommand(argv: readonly string[], env: Shell["env"]): Promise<string> {
  const child = Bun.spawn([...argv], { stdin: "ignore", stdout: "pipe", stderr: "inherit", env: { ...env } })
  const [text, code] = await Promise.all([child.stdout.text(), child.exited])
  if (code === 0) return text.replace(/\r?\n$/, "")
  throw new BottleError(`settings.yml secrets: ${argv[0]} exited with ${code}`, {
    code: "secret-command",
    exit: "missingPart",
    hint: "run the command by hand to see why",
  })
}

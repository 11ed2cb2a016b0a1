import { existsSync } from "node:fs"
import { join } from "node:path"
import { ExitCode } from "../../lib/errors.ts"
import { listSecretNames } from "../../lib/settings-secrets.ts"
import { providerNames } from "../../providers/index.ts"
import { agrees, askStarter } from "../../ui/init-wizard.ts"
import { safeText } from "../../ui/safe-text.ts"
import type { Shell } from "../_shell.ts"
import { writeStarter } from "./write-starter.ts"

/** The first five minutes: ask, write, check the machine, offer the tmux line, and say what to press. */
export async function runInitWizard(shell: Shell): Promise<number> {
  const { paths, env, log } = shell
  const kept = await listSecretNames(paths.settings).catch(() => [])
  const wish = await askStarter({
    providers: providerNames,
    installed: (name) => Bun.which(name, { PATH: env.PATH ?? "" }) !== null,
    secretNames: [...kept.map(({ name }) => name), ...Object.keys(env).filter((name) => env[name] !== "")],
    taken: (kind, name) => existsSync(join(kind === "agent" ? paths.agents : paths.bottles, `${name}.md`)),
  })
  const { agent, bottle, template, token } = wish
  for (const path of await writeStarter({ agent, bottle, provider: { template, token } }, shell))
    log.info(`wrote ${path}`)
  await tellProblems(template, shell)
  if (token !== undefined && env[token] === undefined && !kept.some(({ name }) => name === token)) {
    log.info(`its token is not there yet: bottle secret set ${token}`)
  }
  const bound = await offerTmux(shell)
  const press = env.TMUX === undefined ? "start tmux and press prefix + B" : "press prefix + B"
  const next = bound ? press : `bottle start ${agent}`
  log.info(`next: ${next}; to change the policy: bottle edit ${bottle}`)
  return ExitCode.ok
}

/** What `bottle doctor` would complain of; nothing of what is fine, nor of CLIs that were not chosen. */
async function tellProblems(template: string, shell: Shell): Promise<void> {
  const { realMachine } = await import("../doctor/machine.ts")
  const { examine } = await import("../doctor/checks.ts")
  const all = await examine(await realMachine(shell))
  const concerns = (id: string) => !id.startsWith("agent-") || id === `agent-${template}`
  const findings = all.filter(({ status, id }) => status !== "ok" && concerns(id))
  for (const { status, id, detail, fix } of findings) {
    shell.log.info(`${status} ${id}: ${safeText(detail)}${fix === undefined ? "" : `; ${safeText(fix)}`}`)
  }
  if (findings.length === 0) shell.log.info("this machine has all that bottles need")
}

/** Returns whether the keys are bound, or will be in the next tmux. */
async function offerTmux(shell: Shell): Promise<boolean> {
  if (Bun.which("tmux", { PATH: shell.env.PATH ?? "" }) === null) return false
  if (!(await agrees("add bottle's keys to your tmux.conf?"))) return false
  const { runInstall } = await import("../tmux/install.ts")
  await runInstall("install", { file: undefined, yes: true }, shell)
  if (shell.env.TMUX === undefined) return true
  const { runLoad } = await import("../tmux/load.ts")
  await runLoad(shell)
  return true
}

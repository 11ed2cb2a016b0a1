import { BottleError, ExitCode } from "../lib/errors.ts"
import { type CommandContext, defineCommand, usageError } from "./_command.ts"
import type { Shell } from "./_shell.ts"

/** A value longer than this is no secret that an injected header could carry. */
const maxSecretBytes = 64 * 1024

const args = {
  verb: {
    type: "positional",
    required: true,
    options: ["set", "list", "rm"],
    description: "What to do",
  },
  name: { type: "positional", required: false, description: "Name of a slot or variable, e.g. GITHUB_TOKEN" },
  json: { type: "boolean", description: "With list: as data" },
} as const

export default defineCommand({
  meta: { name: "secret", description: "Keep secrets in the system's keyring" },
  args,
  tooMany: "a secret's value is never an argument: it would show in ps and stay in the shell's history",
  examples: [
    "bottle secret set GITHUB_TOKEN",
    "pass show github | bottle secret set GITHUB_TOKEN",
    "bottle secret list",
  ],
  async run(context) {
    const { verb, name } = context.args
    if (verb === "list") {
      if (name !== undefined) throw usageError("secret list takes no name")
      return list(context)
    }
    if (context.args.json) throw usageError("--json goes with list")
    if (name === undefined) throw usageError(`bottle secret ${verb} needs NAME`, `bottle secret ${verb} GITHUB_TOKEN`)
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw usageError(`${name} is no variable name`, "letters, digits and _")
    return verb === "set" ? set(name, context.shell) : remove(name, context.shell)
  },
})

async function list({ args: { json }, shell }: CommandContext<typeof args>): Promise<number> {
  const { listSecretNames } = await import("../lib/settings-secrets.ts")
  const { safeText } = await import("../ui/safe-text.ts")
  const names = await listSecretNames(shell.paths.settings)
  if (json) shell.printJson({ secrets: names })
  else for (const { name, source } of names) shell.print(`${safeText(name)}\t${source}`)
  if (names.length === 0 && !json) shell.log.info("no secrets are named in settings.yml; next: bottle secret set NAME")
  return ExitCode.ok
}

async function set(name: string, shell: Shell): Promise<number> {
  const { writeSecret } = await import("../lib/keyring.ts")
  const { keepSecretName } = await import("../lib/settings-secrets.ts")
  const value = shell.stdin.isTTY ? await shell.terminal.askSecret(`value of ${name}`, name) : await piped(shell.stdin)
  if (value === "") throw usageError(`the value of ${name} is empty`, "nothing was kept")
  await writeSecret(name, value)
  await keepSecretName(shell.paths.settings, name)
  shell.log.info(`kept ${name} in the keyring; settings.yml names it`)
  return ExitCode.ok
}

async function remove(name: string, shell: Shell): Promise<number> {
  const { removeSecret } = await import("../lib/keyring.ts")
  const { dropSecretName } = await import("../lib/settings-secrets.ts")
  const kept = await removeSecret(name)
  const named = await dropSecretName(shell.paths.settings, name)
  if (kept || named) {
    shell.log.info(`removed ${name}`)
    return ExitCode.ok
  }
  throw new BottleError(`no secret is called ${name}`, {
    code: "unknown-secret",
    exit: "notFound",
    hint: "bottle secret list",
  })
}

/** All of stdin without its final newline, as `pass` and `echo` add one. */
async function piped(stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxSecretBytes) throw usageError(`a secret has at most ${maxSecretBytes / 1024} KiB`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "")
}

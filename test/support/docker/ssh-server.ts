import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { basicEnv, run } from "../command.ts"
import { waitFor } from "../wait.ts"

/** A real sshd on loopback, and what a client of it needs: nothing of this machine's own keys or settings. */
export interface SshServer {
  port: number
  /** For the client's environment: an `ssh` that reads our settings first on PATH, and the agent that has the key. */
  env: Record<string, string>
  /** Settings of the client, as in `~/.ssh/config`. */
  configure(known: boolean): void
  /** Sessions that it carries at the moment. */
  sessions(): Promise<number>
  stop(): Promise<void>
}

/** Start one in `dir`, whose sessions have `sessionEnv`. For `requirePart("sshd")`. */
export async function startSshd(dir: string, sessionEnv: Record<string, string>): Promise<SshServer> {
  const key = async (name: string) => {
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(dir, name)])
    return readFileSync(join(dir, `${name}.pub`), "utf8").trim()
  }
  const [hostKey, userKey] = await Promise.all([key("host"), key("user")])
  const port = freePort()
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 })
  writeFileSync(join(dir, "authorized"), `${userKey}\n`)
  const variables = Object.entries({ PATH: process.env.PATH ?? "", ...sessionEnv })
  const settings = [
    ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${join(dir, "host")}`, `PidFile ${join(dir, "pid")}`],
    ...[`AuthorizedKeysFile ${join(dir, "authorized")}`, "PermitRootLogin yes", "StrictModes no", "UsePAM no"],
    ...["PasswordAuthentication no", `SetEnv ${variables.map(([name, value]) => `"${name}=${value}"`).join(" ")}`],
  ]
  writeFileSync(join(dir, "sshd_config"), `${settings.join("\n")}\n`)
  const bin = join(dir, "bin")
  mkdirSync(bin)
  const real = Bun.which("ssh") ?? "/usr/bin/ssh"
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\nexec ${real} -F ${join(dir, "ssh_config")} "$@"\n`, { mode: 0o755 })
  const dying = ["setpriv", "--pdeathsig", "TERM", "--"]
  const quiet = { env: basicEnv(), stdio: ["ignore", "ignore", Bun.file(join(dir, "log"))] as const }
  const sshd = Bun.spawn([...dying, "/usr/sbin/sshd", "-D", "-e", "-f", join(dir, "sshd_config")], {
    ...quiet,
    stdio: [...quiet.stdio],
  })
  const socket = join(dir, "agent")
  const agent = Bun.spawn([...dying, "ssh-agent", "-D", "-a", socket], { env: basicEnv(), stdout: "ignore" })
  const env = { PATH: `${bin}:${process.env.PATH}`, SSH_AUTH_SOCK: socket }
  await waitFor("the agent", async () => (await run(["ssh-add", join(dir, "user")], { env: basicEnv(env) })).code === 0)
  const configure = (known: boolean) => {
    writeFileSync(join(dir, "known"), known ? `[127.0.0.1]:${port} ${hostKey}\n` : "")
    writeFileSync(join(dir, "ssh_config"), `UserKnownHostsFile ${join(dir, "known")}\nGlobalKnownHostsFile /dev/null\n`)
  }
  configure(true)
  const login = ["ssh", "-p", String(port), "-o", "BatchMode=yes", "127.0.0.1", "true"]
  await waitFor("a login", async () => (await run(login, { env: basicEnv(env) })).code === 0)
  return {
    port,
    env,
    configure,
    sessions: async () => {
      const seen = await run(["pgrep", "-c", "-P", String(sshd.pid)])
      return Number(seen.stdout.trim())
    },
    async stop() {
      for (const child of [sshd, agent]) child.kill("SIGTERM")
      await Promise.all([sshd.exited, agent.exited])
    },
  }
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } })
  const { port } = server
  server.stop(true)
  return port
}

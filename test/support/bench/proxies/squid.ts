import { chownSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { mintCa } from "../../../../sidecars/egress/certificates.ts"
import { freePort, waitForPort } from "../ports.ts"
import { startProgram } from "../program.ts"
import type { ProxyPlace, RunningProxy } from "./proxy.ts"

const helper = "/usr/lib/squid/security_file_certgen"

/** squid with ssl-bump, one worker, no cache and no log, otherwise as it comes. */
export async function startSquid(place: ProxyPlace): Promise<RunningProxy> {
  const { directory, originCa } = place
  const file = (name: string) => join(directory, name)
  const ca = mintCa("squid")
  const port = freePort()
  writeFileSync(file("ca.pem"), ca.cert + ca.key)
  writeFileSync(file("origin.pem"), originCa)
  writeFileSync(
    file("squid.conf"),
    [
      `http_port 127.0.0.1:${port} ssl-bump generate-host-certificates=on tls-cert=${file("ca.pem")}`,
      `sslcrtd_program ${helper} -s ${file("certificates")} -M 4MB`,
      `tls_outgoing_options cafile=${file("origin.pem")}`,
      "acl first at_step SslBump1",
      "ssl_bump peek first",
      "ssl_bump bump all",
      "http_access allow all",
      "cache deny all",
      "access_log none",
      "cache_log /dev/null",
      "pid_filename none",
      "shutdown_lifetime 0 seconds",
      `coredump_dir ${directory}`,
      "",
    ].join("\n"),
  )
  const made = Bun.spawnSync([helper, "-c", "-s", file("certificates"), "-M", "4MB"], { stdout: "ignore" })
  if (made.exitCode !== 0) throw new Error(`${helper} could not make its directory`)
  giveToSquid(directory)
  const program = startProgram(["squid", "-N", "-f", file("squid.conf")])
  await waitForPort(port, program)
  return { proxy: { port }, ca: ca.cert, program }
}

/** Started by root, squid becomes `proxy`, who must be able to read and write here. */
function giveToSquid(directory: string): void {
  if (process.getuid?.() !== 0) return
  const id = (flag: string) => Number(Bun.spawnSync(["id", flag, "proxy"]).stdout.toString())
  const [uid, gid] = [id("-u"), id("-g")]
  mkdirSync(directory, { recursive: true })
  const paths = ["", ...new Bun.Glob("**/*").scanSync({ cwd: directory, onlyFiles: false })]
  for (const path of paths) chownSync(join(directory, path), uid, gid)
}

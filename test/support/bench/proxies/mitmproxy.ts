import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { freePort, waitForPort } from "../ports.ts"
import { startProgram } from "../program.ts"
import type { ProxyPlace, RunningProxy } from "./proxy.ts"

/** mitmdump as it comes, told to be quiet and to stream bodies instead of keeping them. */
export async function startMitmproxy(place: ProxyPlace): Promise<RunningProxy> {
  const { directory, originCa } = place
  const port = freePort()
  const originFile = join(directory, "origin.pem")
  writeFileSync(originFile, originCa)
  const settings = [`confdir=${directory}`, `ssl_verify_upstream_trusted_ca=${originFile}`, "stream_large_bodies=64k"]
  const program = startProgram(
    [
      ...["mitmdump", "-q", "--listen-host", "127.0.0.1", "--listen-port", String(port)],
      ...settings.flatMap((setting) => ["--set", setting]),
    ],
    { env: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: directory, LANG: "C.UTF-8" } },
  )
  await waitForPort(port, program)
  return { proxy: { port }, ca: readFileSync(join(directory, "mitmproxy-ca-cert.pem"), "utf8"), program }
}

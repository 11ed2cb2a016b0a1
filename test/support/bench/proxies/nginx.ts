import { mkdirSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { CertificatePair } from "../../../../sidecars/egress/certificates.ts"
import { freePort, waitForPort } from "../ports.ts"
import { type Program, startProgram } from "../program.ts"

/** nginx as an upstream for downloads, `GET /big`: what a server of the field costs beside our own origin. */
export async function startNginx(
  directory: string,
  leaf: CertificatePair,
): Promise<{ port: number; program: Program }> {
  const file = (name: string) => join(directory, name)
  const port = freePort()
  mkdirSync(file("files"), { recursive: true })
  writeFileSync(file("files/big"), "")
  truncateSync(file("files/big"), 500e6)
  writeFileSync(file("cert.pem"), leaf.cert)
  writeFileSync(file("key.pem"), leaf.key, { mode: 0o600 })
  const lines = [
    ...[`pid ${file("pid")};`, "daemon off;", "worker_processes 1;", "error_log stderr crit;", "events {}", "http {"],
    ...["body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) =>
      kind === "body" ? `client_body_temp_path ${file(kind)};` : `${kind}_temp_path ${file(kind)};`,
    ),
    ...["access_log off;", "server {", `listen 127.0.0.1:${port} ssl;`, `root ${file("files")};`],
    ...[`ssl_certificate ${file("cert.pem")};`, `ssl_certificate_key ${file("key.pem")};`, "}", "}", ""],
  ]
  // A worker of a master started by root reads as another user.
  if (process.getuid?.() === 0) lines.unshift("user root;")
  writeFileSync(file("nginx.conf"), lines.join("\n"))
  const program = startProgram(["nginx", "-p", directory, "-c", file("nginx.conf")])
  await waitForPort(port, program)
  return { port, program }
}

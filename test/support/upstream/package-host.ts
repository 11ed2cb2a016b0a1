import { readFileSync } from "node:fs"
import { join, normalize } from "node:path"
import { run } from "../command.ts"

/** A TLS server that is a web page, a git remote, an npm registry and a Python index at once. */
export interface PackageHost {
  port: number
  /** Paths that were asked for. */
  seen: string[]
  close(): Promise<void>
}

/** Start it on loopback, with a small repository and a small wheel made by the real tools in `dir`. */
export async function startPackageHost(dir: string, tls: { cert: string; key: string }): Promise<PackageHost> {
  await makeRepository(dir)
  await makeWheel(dir)
  const seen: string[] = []
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls,
    fetch(request) {
      const { pathname } = new URL(request.url)
      seen.push(`${request.method} ${pathname}`)
      return answer(dir, pathname)
    },
  })
  return { port: server.port ?? 0, seen, close: () => server.stop(true) }
}

const wheel = "demo_pkg-1.0-py3-none-any.whl"

function answer(dir: string, path: string): Response {
  if (path === "/hello") return new Response("hello from upstream\n")
  if (path === "/npm/pkg") {
    const version = {
      name: "pkg",
      version: "1.2.3",
      dist: { tarball: "https://tools.example/npm/pkg.tgz", shasum: "0" },
    }
    return Response.json({ name: "pkg", "dist-tags": { latest: "1.2.3" }, versions: { "1.2.3": version } })
  }
  if (path === "/simple/demo-pkg/") {
    return new Response(`<a href="/files/${wheel}">${wheel}</a>`, { headers: { "content-type": "text/html" } })
  }
  const file = /^\/(repo\.git|files)\//.test(path) ? join(dir, normalize(path)) : undefined
  try {
    if (file !== undefined) return new Response(readFileSync(file))
  } catch {
    // Not there: as any static server says.
  }
  return new Response("not found", { status: 404 })
}

async function makeRepository(dir: string): Promise<void> {
  const git = (...args: string[]) =>
    must(["git", "-c", "user.name=t", "-c", "user.email=t@example", "-c", "init.defaultBranch=main", ...args])
  await git("init", "-q", join(dir, "source"))
  await Bun.write(join(dir, "source", "file"), "content of the repository\n")
  await git("-C", join(dir, "source"), "add", "file")
  await git("-C", join(dir, "source"), "commit", "-q", "-m", "one")
  await git("clone", "-q", "--bare", join(dir, "source"), join(dir, "repo.git"))
  await git("-C", join(dir, "repo.git"), "update-server-info")
}

async function makeWheel(dir: string): Promise<void> {
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z:
    z.writestr("demo_pkg.py", "")
    z.writestr("demo_pkg-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: demo-pkg\\nVersion: 1.0\\n")
    z.writestr("demo_pkg-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr("demo_pkg-1.0.dist-info/RECORD", "")
`
  await must(["mkdir", "-p", join(dir, "files")])
  await must(["python3", "-c", script, join(dir, "files", wheel)])
}

async function must(argv: string[]): Promise<void> {
  const { code, stderr } = await run(argv)
  if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`)
}

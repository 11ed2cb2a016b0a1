import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { run } from "../command.ts"

/**
 * A later tmux of Debian's in a root of its own below `dir`: fetched with apt's own signatures and state, unpacked and never
 * installed. Returns a directory for the front of PATH, whose `tmux` runs with the libraries it came with.
 */
export async function laterTmux(suite: string, dir: string): Promise<{ bin: string; version: string }> {
  const root = join(dir, suite)
  for (const name of ["lists/partial", "cache/archives/partial", "root", "bin"]) {
    mkdirSync(join(root, name), { recursive: true })
  }
  writeFileSync(join(root, "sources.list"), `deb ${mirror()} ${suite} main\n`)
  writeFileSync(join(root, "status"), "")
  const options = [
    `Dir::Etc::sourcelist=${root}/sources.list`,
    "Dir::Etc::sourceparts=-",
    `Dir::State::lists=${root}/lists`,
    `Dir::State::status=${root}/status`,
    `Dir::Cache=${root}/cache`,
    "Debug::NoLocking=1",
  ].flatMap((option) => ["-o", option])
  await must(["apt-get", ...options, "update", "-q"])
  await must(["apt-get", ...options, "install", "-q", "-y", "-d", "--no-install-recommends", "tmux", "ncurses-base"])
  for (const deb of new Bun.Glob("*.deb").scanSync({ cwd: join(root, "cache/archives"), absolute: true })) {
    await must(["dpkg-deb", "-x", deb, join(root, "root")])
  }
  const inside = join(root, "root", "usr")
  const libraries = `${inside}/lib/x86_64-linux-gnu:${inside}/lib/x86_64-linux-gnu/systemd`
  const program = `exec ${inside}/lib64/ld-linux-x86-64.so.2 --library-path ${libraries} ${inside}/bin/tmux "$@"`
  writeFileSync(join(root, "bin", "tmux"), `#!/bin/sh\n${program}\n`, { mode: 0o755 })
  const version = (await must([join(root, "bin", "tmux"), "-V"])).trim()
  return { bin: join(root, "bin"), version }
}

function mirror(): string {
  const uris = /^URIs: (\S+)/m.exec(readFileSync("/etc/apt/sources.list.d/debian.sources", "utf8"))?.[1]
  if (uris === undefined) throw new Error("where Debian's packages are is not known")
  return uris
}

async function must(argv: string[]): Promise<string> {
  const done = await run(argv, { timeout: 300_000 })
  if (done.code !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr}`)
  return done.stdout
}

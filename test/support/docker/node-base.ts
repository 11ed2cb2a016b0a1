import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { basicEnv, run } from "../command.ts"
import type { TestEngine } from "./engine.ts"

/** What the providers' Dockerfiles ask for. */
export const nodeBase = "node:22-bookworm-slim"
const minutes = 10 * 60_000
/** Where this machine keeps the authorities that it trusts: one behind a private one has it in there. */
const authorities = "/etc/ssl/certs/ca-certificates.crt"

/** Why no base can be made here, or undefined. Needs the network: for soak. */
export async function whyNoNodeBase(): Promise<string | undefined> {
  const missing = ["debootstrap", "npm", "dockerd", "chroot"].find((name) => Bun.which(name) === null)
  if (missing !== undefined) return `${missing} is not installed`
  if (process.getuid?.() !== 0) return "debootstrap needs root"
  if (!existsSync(authorities)) return `there is no ${authorities}`
  const seen = await run(["npm", "view", "npm@10", "name"], { env: whole() })
  return seen.code === 0 ? undefined : "npm's packages cannot be reached"
}

/**
 * The base that the providers ask for, made where no image registry is reachable: Debian by debootstrap, Node and npm
 * as npm's packages, the user `node` as the original has it. It is what an operator behind a private authority and a
 * proxy would give instead of the original: both are in it, for apt and for npm, and nothing else knows of them.
 */
export async function importNodeBase(engine: TestEngine, dir: string, proxy: string): Promise<void> {
  const tree = join(dir, "bookworm")
  await must(["debootstrap", "--variant=minbase", "bookworm", tree])
  const local = join(tree, "usr/local")
  await unpackPackage(`node-linux-${process.arch}@22`, dir, local)
  const npm = join(local, "lib/node_modules/npm")
  await unpackPackage("npm@10", dir, npm)
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, "bin", name))
  }
  await must(["chroot", tree, "groupadd", "--gid", "1000", "node"])
  await must(["chroot", tree, "useradd", "--uid", "1000", "--gid", "node", "--create-home", "-s", "/bin/bash", "node"])
  const trusted = join(local, "share/ca-certificates")
  mkdirSync(trusted, { recursive: true })
  copyFileSync(authorities, join(trusted, "private.crt"))
  const tar = join(dir, "base.tar")
  await must(["tar", "-C", tree, "-cf", tar, "."])
  rmSync(tree, { recursive: true, force: true })
  const env = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    NODE_EXTRA_CA_CERTS: "/usr/local/share/ca-certificates/private.crt",
    http_proxy: proxy,
    https_proxy: proxy,
  }
  const changes = [...Object.entries(env).map(([name, value]) => `ENV ${name}=${value}`), 'CMD ["node"]']
  await engine.docker("import", ...changes.flatMap((change) => ["-c", change]), tar, nodeBase)
  rmSync(tar)
}

/** The files of the newest package of that version, put into a directory. */
async function unpackPackage(wanted: string, dir: string, into: string): Promise<void> {
  mkdirSync(into, { recursive: true })
  const packed = await must(["npm", "pack", "--silent", "--pack-destination", dir, wanted])
  const file = join(dir, packed.trim().split("\n").at(-1) ?? "")
  await must(["tar", "-xzf", file, "-C", into, "--strip-components=1", "--no-same-owner"])
  rmSync(file)
}

async function must(argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(argv, { env: whole(), timeout: minutes })
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${(stderr || stdout).slice(-2_000)}`)
  return stdout
}

/** This process's environment: what reaches the network here may need it. */
const whole = () =>
  basicEnv(Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? ""])))

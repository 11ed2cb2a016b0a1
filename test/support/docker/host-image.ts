import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { run } from "../command.ts"
import type { TestEngine } from "./engine.ts"

/** Both forms of a package's name; the dollar signs are the query's own. */
const format = ["{Package}", "{Package}:{Architecture}"].map((line) => `${line.replaceAll("{", "${")}\n`).join("")
const links = ["/bin", "/sbin", "/lib", "/lib64"]

/** Why no image can be made of this machine's own packages, or undefined. */
export function whyNoHostImage(): string | undefined {
  return Bun.which("dpkg-query") && Bun.which("apt-cache") ? undefined : "this machine has no Debian packages"
}

/**
 * An image of installed Debian packages and all that they depend on, without a registry and without a network; `tree`
 * is put over it.
 */
export async function importPackages(
  engine: TestEngine,
  dir: string,
  name: string,
  packages: string[],
  tree?: string,
): Promise<void> {
  const without = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"].map(
    (kind) => `--no-${kind}`,
  )
  const depends = await run(["apt-cache", "depends", "--recurse", "--installed", ...without, ...packages])
  const wanted = depends.stdout.split("\n").filter((line) => /^[a-z0-9]/.test(line))
  const installed = (await run(["dpkg-query", "-W", "-f", format])).stdout.split("\n")
  const files = await run(["dpkg-query", "-L", ...wanted.filter((each) => installed.includes(each))])
  const merged = files.stdout.split("\n").map((path) => path.replace(/^\/(bin|sbin|lib|lib64)(?=\/)/, "/usr/$1"))
  const paths = [...new Set([...merged, ...links, "/etc/passwd", "/etc/group", "/etc/alternatives", "/usr/bin/sh"])]
    .filter((path) => path.startsWith("/") && path !== "/." && !/^\/usr\/share\/(doc|man|locale)\//.test(path))
    .filter((path) => existsSync(path))
  const list = join(dir, "packages.txt")
  const tar = join(dir, "packages.tar")
  writeFileSync(list, paths.map((path) => `.${path}`).join("\n"))
  const over = join(dir, "tree.txt")
  // An import takes no path twice: folders that are there already are left out.
  const more = tree === undefined ? [] : readdirSync(tree, { recursive: true }).map((path) => `/${path}`)
  const taken = new Set(paths)
  writeFileSync(over, more.flatMap((path) => (taken.has(path) ? [] : [`.${path}`])).join("\n"))
  const from = ["-C", "/", "--no-recursion", "-T", list, "-C", tree ?? "/", "-T", over]
  await run(["tar", "-cf", tar, ...from])
  await engine.docker("import", tar, name)
  rmSync(tar)
}

import { BottleError } from "../../lib/errors.ts"
import type { Tools } from "./bwrap.ts"

/** Where system programs lie; the caller's own PATH comes last, for systems that keep theirs elsewhere. */
const systemPath = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin"

/** Find bubblewrap and, for root, setpriv; or name what is missing and how it comes here. */
export function findTools(isRoot: boolean, path: string): Tools | { missing: string; remedy: string } {
  const find = (name: string) => Bun.which(name, { PATH: `${systemPath}:${path}` })
  const bwrap = find("bwrap")
  if (bwrap === null) return { missing: "bubblewrap (bwrap) is not installed", remedy: installHint("bubblewrap") }
  const setpriv = find("setpriv")
  if (isRoot && setpriv === null) return { missing: "setpriv is not installed", remedy: installHint("util-linux") }
  return { bwrap, setpriv: setpriv ?? "" }
}

/** The same for those who cannot go on without. */
export function requireTools(isRoot: boolean, path: string): Tools {
  const tools = findTools(isRoot, path)
  if (!("missing" in tools)) return tools
  throw new BottleError(tools.missing, { code: "namespace-unusable", exit: "missingPart", hint: tools.remedy })
}

function installHint(name: string): string {
  const installers = [
    ["apt-get", `apt-get install -y ${name}`],
    ["dnf", `dnf install -y ${name}`],
    ["pacman", `pacman -S --noconfirm ${name}`],
    ["zypper", `zypper install -y ${name}`],
    ["apk", `apk add ${name}`],
  ] as const
  const found = installers.find(([program]) => Bun.which(program, { PATH: systemPath }) !== null)
  return found?.[1] ?? `install ${name} with the system's package manager`
}

import { join, relative } from "node:path"
import type { Mount } from "../../backends/backend.ts"
import { isNodeScript, notInstalled, packageOf, versionOf } from "../installed.ts"
import type { HostLook } from "../provider.ts"

/** Where the CLI stands inside a bottle, wherever the operator has installed it. */
export const insideDirectory = "/opt/bot-bottle/pi"

/** The operator's Pi and what of it a bottle must show. */
export interface PiInstall {
  /** argv that starts it inside. */
  command: string[]
  mounts: Mount[]
  version: string | undefined
  /** Version of the Node it runs on; undefined where the image brings one. */
  node: string | undefined
  /** Host path, for the preflight; undefined for an image's. */
  source: string | undefined
}

/** The one that the bottle's image has on its PATH. */
export const inPiImage: PiInstall = {
  command: ["pi"],
  mounts: [],
  node: undefined,
  version: undefined,
  source: undefined,
}

/** What Pi needs; an older Node fails while loading it. */
const leastNode = [22, 19] as const
const installHint = "install it: npm install -g @earendil-works/pi-coding-agent"
/** The one file that holds everything, also what the package depends on. */
const bundle = join("dist", "bundle", "cli.js")

/**
 * Find Pi on the operator's PATH, and the first Node there that can run it. The package is shown with its bundle,
 * which needs no other package. Throws `BottleError` (exit 4) when either is missing.
 */
export function findPi(host: HostLook): PiInstall {
  const program = host.which("pi")
  if (program === undefined) throw notInstalled("pi", "Pi is not installed: no `pi` on PATH", installHint)
  const root = packageOf(program, host)
  if (!isNodeScript(program, host) || root === undefined || !host.exists(join(root, bundle))) {
    throw notInstalled("pi", `${program} is not the bundled Pi of its npm package`, installHint)
  }
  const node = findNode(host)
  const packageTarget = join(insideDirectory, "package")
  const nodeTarget = join(insideDirectory, "node")
  return {
    command: [nodeTarget, join(packageTarget, relative(root, join(root, bundle)))],
    mounts: [
      { source: root, target: packageTarget, readonly: true },
      { source: node.path, target: nodeTarget, readonly: true },
    ],
    version: versionOf(join(root, bundle), host),
    node: node.version,
    source: program,
  }
}

function findNode(host: HostLook): { path: string; version: string } {
  const all = host.whichAll("node").map((path) => ({ path, version: host.askVersion(path) ?? "?" }))
  const fit = all.find(({ version }) => isNewEnough(version))
  if (fit !== undefined) return fit
  const there = all.length === 0 ? "there is none on PATH" : `PATH has ${all.map(({ version }) => version).join(", ")}`
  throw notInstalled(
    "node",
    `Pi needs Node ${leastNode.join(".")} or newer, and ${there}`,
    "install a newer Node, for example: npm install -g node@22",
  )
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])
}

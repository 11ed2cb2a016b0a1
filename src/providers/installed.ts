import { basename, dirname, join } from "node:path"
import { BottleError } from "../lib/errors.ts"
import type { HostLook } from "./provider.ts"

/** What several providers look at to find out how a CLI was installed. */

/** Directories above a file, nearest first. */
export function ancestors(file: string): string[] {
  const found: string[] = []
  for (let at = dirname(file); ; at = dirname(at)) {
    found.push(at)
    if (at === dirname(at)) return found
  }
}

/**
 * The npm package that a file stands in. Only one that is installed below a `node_modules` counts: a `package.json`
 * further up may be that of a whole home, which a bottle must not be shown.
 */
export function packageOf(file: string, host: HostLook): string | undefined {
  const nearest = ancestors(file).find((directory) => host.exists(join(directory, "package.json")))
  return nearest !== undefined && /\/node_modules\/(@[^/]+\/)?[^/]+$/.test(nearest) ? nearest : undefined
}

export function isElf(path: string, host: HostLook): boolean {
  const [first, ...rest] = host.readStart(path, 4) ?? []
  return first === 0x7f && String.fromCharCode(...rest) === "ELF"
}

export function isNodeScript(path: string, host: HostLook): boolean {
  const start = textStart(path, 64, host)
  const [firstLine = ""] = start.split("\n", 1)
  if (firstLine.startsWith("#!")) return /[/ ]node(\s|$)/.test(firstLine)
  return start !== "" && /\.[cm]?js$/.test(path)
}

/** From the package the file stands in, or from a name such as `versions/2.1.329` of a native installer. */
export function versionOf(file: string, host: HostLook): string | undefined {
  if (/^\d+\.\d+\.\d+$/.test(basename(file))) return basename(file)
  for (const directory of ancestors(file).slice(0, 5)) {
    const text = textStart(join(directory, "package.json"), 64 * 1024, host)
    const version = /"version"\s*:\s*"(\d+\.\d+\.\d+[\w.-]*)"/.exec(text)?.[1]
    if (version !== undefined) return version
  }
  return undefined
}

function textStart(path: string, bytes: number, host: HostLook): string {
  return new TextDecoder().decode(host.readStart(path, bytes) ?? new Uint8Array())
}

/** The CLI, or something it needs, is not on this machine. */
export function notInstalled(name: string, message: string, hint: string): BottleError {
  return new BottleError(message, { code: `${name}-not-found`, exit: "missingPart", hint })
}

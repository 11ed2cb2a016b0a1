import type { HostLook, ProviderRequest } from "../../../src/providers/provider.ts"

/**
 * A host made of a few files: program names to paths, and paths to contents. `node#2` is a second `node` further down
 * PATH; a program's version is what its content says.
 */
export function pretendHost(programs: Record<string, string>, files: Record<string, string>): HostLook {
  const paths = Object.keys(files)
  return {
    which: (name) => programs[name],
    whichAll: (name) => Object.entries(programs).flatMap(([each, path]) => (each.split("#")[0] === name ? [path] : [])),
    askVersion: (program) => /\d+\.\d+\.\d+/.exec(files[program] ?? "")?.[0],
    exists: (path) => paths.some((file) => file === path || file.startsWith(`${path}/`)),
    readStart: (path, bytes) => {
      const content = files[path]
      return content === undefined ? undefined : new TextEncoder().encode(content).subarray(0, bytes)
    },
  }
}

export const elf = "\x7fELF…"

export function request(changes: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    cli: "host",
    home: "/home/node",
    workspace: "/workspace",
    label: "",
    color: undefined,
    systemPrompt: "",
    settings: {},
    authSlot: undefined,
    prompt: undefined,
    headless: false,
    argv: [],
    supervise: false,
    skills: [],
    ca: "/run/bottle/ca.crt",
    ...changes,
  }
}

/** The error's stable name and exit code, or what was wrong with the expectation. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return "did not fail"
  } catch (error) {
    const { code, exitCode } = error as { code?: string; exitCode?: number }
    return `${code} ${exitCode}`
  }
}

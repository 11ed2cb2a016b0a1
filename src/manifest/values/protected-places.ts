import { join } from "node:path"

/** Credential stores below a home directory: folders and files that hold logins, keys or sessions (SECURITY 5). */
const credentialPaths = [
  ".ssh",
  ".gnupg",
  ".pki",
  ".password-store",
  ".local/share/keyrings",
  ".local/share/kwalletd",
  ".netrc",
  ".git-credentials",
  ".config/git/credentials",
  ".config/gh",
  ".config/hub",
  ".config/glab-cli",
  ".aws",
  ".azure",
  ".oci",
  ".config/gcloud",
  ".config/doctl",
  ".config/rclone",
  ".config/op",
  ".config/sops",
  ".config/age",
  ".docker",
  ".config/containers",
  ".kube",
  ".vault-token",
  ".terraform.d",
  ".npmrc",
  ".yarnrc.yml",
  ".pypirc",
  ".cargo/credentials",
  ".cargo/credentials.toml",
  ".gem/credentials",
  ".m2/settings.xml",
  ".pgpass",
  ".my.cnf",
  ".claude",
  ".claude.json",
  ".config/claude",
  ".codex",
  ".pi",
  ".gemini",
  ".config/github-copilot",
  ".local/share/opencode",
  ".mozilla",
  ".thunderbird",
  ".config/google-chrome",
  ".config/chromium",
  ".config/BraveSoftware",
  ".config/microsoft-edge",
  ".config/vivaldi",
  ".config/opera",
  ".config/Signal",
  ".var/app",
  "snap",
  "Library/Keychains",
  "Library/Cookies",
  "Library/Application Support/Google/Chrome",
  "Library/Application Support/Firefox",
  "Library/Application Support/BraveSoftware",
] as const

/** Where the kernel, services and other sessions are: sockets, devices, other processes. */
const systemPlaces = ["/proc", "/sys", "/dev", "/run", "/var/run"] as const

export interface Protected {
  path: string
  /** Why neither it, nor what is in it, nor what contains it can be bound. */
  why: string
}

/** Places that no bottle may see, for one operator. */
export function protectedPlaces(userHome: string, bottleHome: string): Protected[] {
  return [
    { path: bottleHome, why: "bottle keeps its own files there" },
    ...credentialPaths.map((path) => ({ path: join(userHome, path), why: `~/${path} holds credentials` })),
    ...systemPlaces.map((path) => ({ path, why: `${path} belongs to the system` })),
  ]
}

/** Inside paths that a bind would break or that would break the fence. */
export const reservedTargets = [
  "/proc",
  "/sys",
  "/dev",
  "/run",
  "/etc",
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib64",
] as const

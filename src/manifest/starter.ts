export interface StarterProvider {
  template: string
  /** Name of the slot that holds the CLI's token; undefined: none. */
  token: string | undefined
}

const usualProvider: StarterProvider = { template: "claude", token: "CLAUDE_CODE_OAUTH_TOKEN" }

/**
 * What `bottle init` writes: a commented bottle and agent that work as they are. `schemaPath` is where the JSON Schema
 * (`bottle schema bottle`) was written, for the editor's modeline.
 */
export function starterBottle(schemaPath: string, provider: StarterProvider = usualProvider): string {
  return `---
# yaml-language-server: $schema=${schemaPath}
# A bottle is the policy that an agent runs under. Every key: bottle schema bottle

# Start from another bottle (or a list of them); what is written here goes on top.
# extends: base

# Variables that the agent SEES. A secret does not belong here: use auth.token_ref.
env:
  GREETING: hello
  # EDITOR: "\${EDITOR}"             taken from this machine
  # REGION: "?which region"         asked at every start

agent_provider:
  template: ${provider.template} # claude, codex, pi, or command for any program
${tokenLine(provider.token)}

# What may be reached. Nothing else leaves the bottle.
egress:
  routes:
    - host: raw.githubusercontent.com
      matches:
        - methods: [GET, HEAD]
    # - host: api.github.com
    #   path_allowlist: [/repos/me/project]
    #   auth: { scheme: Bearer, token_ref: GITHUB_TOKEN }
  log: 1 # 0 refusals, 1 a line a request, 2 also headers (never a secret)

# Directories of this machine shown inside, read-only unless :rw is written.
# namespace:
#   binds: [~/reference-data:/data]

limits:
  memory: 4g
  pids: 2000
---
Notes for yourself: this part of the file is not used.
`
}

function tokenLine(token: string | undefined): string {
  return token === undefined
    ? "  # auth_token: NAME # where its real token is found; the agent never sees it"
    : `  auth_token: ${token} # where its real token is found; the agent never sees it`
}

/** The agent of `bottle init`, which suggests the starter bottle `bottle`. */
export function starterAgent(schemaPath: string, bottle: string): string {
  return `---
# yaml-language-server: $schema=${schemaPath}
# An agent is a name, a bottle to run in, and a system prompt. Every key: bottle schema agent
description: Works on this project
bottle: ${bottle} # or a list, in merge order
# git-gate:
#   user: { name: My Agent, email: agent@example.com }
---
You work on the project in the current directory. Make small changes, and say what you did.

Requests that the bottle does not permit are refused with a reason: read it, and go on without that host
if you can.
`
}

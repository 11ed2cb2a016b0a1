import type { Command } from "./_command.ts"

export interface CommandEntry {
  /** One line for `bottle --help`; the same as the command's own. */
  description: string
  /** Asked by scripts of ours, not by people: in no help and no completion. */
  hidden?: true
  /** A literal import each, so that the bundler splits them and a command loads only itself. */
  load(): Promise<Command>
}

/** Every command a person types. `guest`, `sidecar` and `keep` are not here: main.ts starts them itself. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  demo: {
    description: "Show a real bottle at work, in ten lines",
    load: async () => (await import("./demo.ts")).default,
  },
  init: {
    description: "Write your first agent and bottle, and check this machine",
    load: async () => (await import("./init.ts")).default,
  },
  build: {
    description: "Build agents' images ahead of their first start",
    load: async () => (await import("./build.ts")).default,
  },
  start: {
    description: "Start an agent in a sealed bottle",
    load: async () => (await import("./start.ts")).default,
  },
  attach: {
    description: "Enter a running bottle's agent",
    load: async () => (await import("./attach.ts")).default,
  },
  exec: {
    description: "Run a program inside a running bottle",
    load: async () => (await import("./exec.ts")).default,
  },
  diff: {
    description: "Show what the agent changed in its workspace",
    load: async () => (await import("./diff.ts")).default,
  },
  pull: {
    description: "Bring the agent's commits into your repository",
    load: async () => (await import("./pull.ts")).default,
  },
  cp: {
    description: "Copy files into or out of a bottle",
    load: async () => (await import("./cp.ts")).default,
  },
  forward: {
    description: "View a server of the agent's on 127.0.0.1, while this runs",
    load: async () => (await import("./forward.ts")).default,
  },
  logs: {
    description: "Show a bottle's logs, also after its end",
    load: async () => (await import("./logs.ts")).default,
  },
  dashboard: {
    description: "Watch and decide: what agents ask for, and which run",
    load: async () => (await import("./dashboard.ts")).default,
  },
  proposals: {
    description: "See and decide what agents ask for",
    load: async () => (await import("./proposals.ts")).default,
  },
  review: {
    description: "Decide what agents ask for, one at a time, on the whole screen",
    load: async () => (await import("./review.ts")).default,
  },
  routes: {
    description: "Show or edit the routes in force in a running bottle",
    load: async () => (await import("./routes.ts")).default,
  },
  allowlist: {
    description: "Show or edit the whole hosts open in a running bottle",
    load: async () => (await import("./allowlist.ts")).default,
  },
  undo: {
    description: "Take back an approval or an edit that is in force",
    load: async () => (await import("./undo.ts")).default,
  },
  stop: {
    description: "End a bottle; keep its state if there is anything to lose",
    load: async () => (await import("./stop.ts")).default,
  },
  freeze: {
    description: "End a bottle and keep it, whole, to be resumed",
    load: async () => (await import("./freeze.ts")).default,
  },
  commit: {
    description: "The same as freeze",
    load: async () => (await import("./commit.ts")).default,
  },
  resume: {
    description: "Launch a kept bottle again, with its work",
    load: async () => (await import("./resume.ts")).default,
  },
  destroy: {
    description: "End a bottle and remove everything it left",
    load: async () => (await import("./destroy.ts")).default,
  },
  cleanup: {
    description: "Find and remove what dead bottles left",
    load: async () => (await import("./cleanup.ts")).default,
  },
  list: {
    description: "List running bottles, agents and bottle files",
    load: async () => (await import("./list.ts")).default,
  },
  info: {
    description: "Show an agent, a bottle file or a running bottle",
    load: async () => (await import("./info.ts")).default,
  },
  edit: {
    description: "Open an agent or bottle file in your editor, and check it",
    load: async () => (await import("./edit.ts")).default,
  },
  secret: {
    description: "Keep secrets in the system's keyring",
    load: async () => (await import("./secret.ts")).default,
  },
  audit: {
    description: "Show, check or export the record of what was decided and done",
    load: async () => (await import("./audit.ts")).default,
  },
  schema: {
    description: "Print the JSON Schema of a kind of file",
    load: async () => (await import("./schema.ts")).default,
  },
  doctor: {
    description: "Check what this machine has and lacks",
    load: async () => (await import("./doctor.ts")).default,
  },
  tmux: {
    description: "Set tmux up for bottle",
    load: async () => (await import("./tmux.ts")).default,
  },
  completions: {
    description: "Print the completion script of a shell, or the man page",
    load: async () => (await import("./completions.ts")).default,
  },
  __complete: {
    description: "List names for a completion script",
    hidden: true,
    load: async () => (await import("./complete.ts")).default,
  },
}

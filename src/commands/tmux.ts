import { ExitCode } from "../lib/errors.ts"
import { defineCommand, usageError } from "./_command.ts"
import type { KeyPress } from "./tmux/by-key.ts"

const setUp = ["load", "install", "uninstall"] as const

/** What keys do: each is loaded when its key is pressed. */
const keyVerbs = {
  start: async () => (await import("./tmux/start.ts")).runStartKey,
  dashboard: async () => (await import("./tmux/bottle-keys.ts")).runDashboardKey,
  next: async () => (await import("./tmux/next.ts")).runNext,
  attach: async () => (await import("./tmux/bottle-keys.ts")).runAttachKey,
  stop: async () => (await import("./tmux/bottle-keys.ts")).runStopKey,
  logs: async () => (await import("./tmux/bottle-keys.ts")).runLogsKey,
  routes: async () => (await import("./tmux/bottle-keys.ts")).runRoutesKey,
} satisfies Readonly<Record<string, () => Promise<(press: KeyPress) => Promise<void>>>>
type KeyVerb = keyof typeof keyVerbs

/** What runs on the surface that a key opened. */
const surfaceVerbs = ["ask", "pick", "hold"] as const
type SurfaceVerb = (typeof surfaceVerbs)[number]

export default defineCommand({
  meta: { name: "tmux", description: "Set tmux up for bottle" },
  args: {
    verb: {
      type: "positional",
      required: true,
      options: [...setUp, ...(Object.keys(keyVerbs) as KeyVerb[]), ...surfaceVerbs],
      description: "load binds the keys in this server; install adds a line to tmux.conf that does so at every start",
    },
    file: { type: "string", description: "tmux.conf to change; default the one tmux reads", valueHint: "PATH" },
    yes: { type: "boolean", description: "Change it without asking" },
    pane: { type: "string", description: "What keys do: the pane they were pressed in, such as %3", valueHint: "ID" },
    client: { type: "string", description: "What keys do: the client they were pressed on", valueHint: "NAME" },
    ask: { type: "string", description: "With hold: asked before it runs", valueHint: "TEXT" },
  },
  rest: { name: "argv", description: "With hold: the command of bottle's to run, whose end waits for a key" },
  examples: ["bottle tmux install", "bottle tmux load"],
  async run({ args, rest, shell }) {
    const { verb, pane, client } = args
    if (pane !== undefined && !/^%\d+$/.test(pane)) throw usageError("--pane: expected an id, such as %3")
    if ((surfaceVerbs as readonly string[]).includes(verb)) {
      const { runOnSurface } = await import("./tmux/surface-programs.ts")
      return runOnSurface(verb as SurfaceVerb, { pane, client, ask: args.ask, argv: rest ?? [] }, shell)
    }
    if (verb in keyVerbs) {
      const { runByKey } = await import("./tmux/by-key.ts")
      await runByKey(await keyVerbs[verb as KeyVerb](), { pane, client }, shell)
    } else if (verb === "load") {
      const { runLoad } = await import("./tmux/load.ts")
      await runLoad(shell)
    } else {
      const { runInstall } = await import("./tmux/install.ts")
      const changed = await runInstall(verb as "install" | "uninstall", args, shell)
      if (changed && verb === "install")
        shell.log.info("next: bottle tmux load, then prefix + B; a new tmux loads it itself")
    }
    return ExitCode.ok
  },
})

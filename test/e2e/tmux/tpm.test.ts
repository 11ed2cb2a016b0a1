import { describe, expect, test } from "bun:test"
import { cpSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { version } from "../../../package.json"
import { run } from "../../support/command.ts"
import { makePlace, placeBinary, whos } from "../../support/place.ts"
import { requirePart, tpm } from "../../support/require.ts"
import { waitFor } from "../../support/wait.ts"

const checkout = join(import.meta.dir, "..", "..", "..")
const enabled = requirePart("tmux") && requirePart("tpm") && requirePart("binary")

describe.skipIf(!enabled)("tmux' plugin manager", () => {
  test("finds the plugin in a clone by its own code, beside another plugin, and again after the configuration is read anew", async () => {
    const place = makePlace(whos.at(-1) ?? "user")
    const plugins = join(place.home, "plugins")
    for (const name of ["tmux", "bottle.tmux", "package.json"]) {
      cpSync(join(checkout, name), join(plugins, "bottle", name), { recursive: true })
    }
    cpSync(join(checkout, "bottle.tmux"), join(plugins, "other", "other.tmux"))
    writeFileSync(join(plugins, "other", "other.tmux"), "#!/bin/sh\ntmux set-option -ga @others ran\n")
    const conf = join(place.home, ".tmux.conf")
    writeFileSync(
      conf,
      `set-environment -g TMUX_PLUGIN_MANAGER_PATH '${plugins}/'
set-environment -g BOT_BOTTLE_HOME '${place.botHome}'
set -g @plugin 'somebody/other'
set -g @plugin 'somebody/bottle'
set -g @bottle-bin '${placeBinary(place)}'
set -g status-right '#{bottle_status} %H:%M'
run '${tpm}'
`,
    )
    const tmux = async (...words: string[]) =>
      (await run(["tmux", "-S", join(place.dir, "s"), ...words], { env: place.env })).stdout.trim()
    const loaded = async () => (await tmux("show-options", "-gqv", "@bottle_version")) === version
    try {
      await tmux("-f", conf, "new-session", "-d", "sh")
      await waitFor("the plugin to load", loaded)
      const bound = await tmux("list-keys", "-T", "bottle")
      expect(bound.split("\n")).toHaveLength(7)
      await tmux("set-option", "-gu", "@bottle_version")
      await tmux("source-file", conf)
      await waitFor("the plugin to load again", loaded)
      expect(await tmux("list-keys", "-T", "bottle")).toBe(bound)
      expect(await tmux("show-options", "-gv", "status-right")).toBe("#{@bottle_status} %H:%M")
      expect(await tmux("show-options", "-gqv", "@others")).toBe("ranran")
    } finally {
      await tmux("kill-server")
    }
  })
})

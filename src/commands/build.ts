import { ExitCode } from "../lib/errors.ts"
import { defineCommand } from "./_command.ts"
import { openManifests } from "./_manifests.ts"
import { printTable } from "./_table.ts"

export default defineCommand({
  meta: { name: "build", description: "Build agents' images ahead of their first start" },
  args: {
    name: {
      type: "positional",
      multiple: true,
      description: "Bottle files, or providers such as claude (default: every bottle file)",
    },
    "base-image": {
      type: "string",
      valueHint: "IMAGE",
      description: "Build on it, in place of what ARG BASE_IMAGE says",
    },
    json: { type: "boolean", description: "Print the images as data" },
  },
  examples: ["bottle build", "bottle build claude --base-image my-node:22"],
  async run({ args, shell }) {
    const { buildImages } = await import("../bottle/build-images.ts")
    const wish = { names: args.name, base: args["base-image"] }
    const deps = { paths: shell.paths, manifests: await openManifests(shell), say: shell.log.info }
    const images = await buildImages(wish, deps)
    if (args.json) shell.printJson({ images })
    else {
      const rows = images.map(({ for: names, image, reused }) => [names.join(", "), image, reused ? "there" : "built"])
      printTable(["FOR", "IMAGE", ""], rows, shell)
    }
    return ExitCode.ok
  },
})

import { parsePlace } from "../bottle/work/copy/inside-path.ts"
import type { TakenOut } from "../bottle/work/copy/take-out.ts"
import { isTerminal } from "../lib/stdio.ts"
import { parseSize } from "../manifest/values/sizes.ts"
import { defineCommand, usageError } from "./_command.ts"
import type { Shell } from "./_shell.ts"

export default defineCommand({
  meta: { name: "cp", description: "Copy files into or out of a bottle" },
  args: {
    from: { type: "positional", description: "A file here, SLUG:PATH, or - for an archive on stdin", required: true },
    to: { type: "positional", description: "The same; - writes an archive to stdout", required: true },
    force: { type: "boolean", alias: "f", description: "Replace files that are there" },
    "max-size": { type: "string", default: "4g", description: "Most that is copied out", valueHint: "SIZE" },
    json: { type: "boolean", description: "Print what was copied out as data" },
  },
  examples: [
    "bottle cp claude-x7k2p:report.md .",
    "bottle cp notes claude-x7k2p:~/",
    "bottle cp claude-x7k2p:. - | tar -t",
  ],
  async run({ args, shell }) {
    const [from, to] = [parsePlace(args.from), parsePlace(args.to)]
    const size = parseSize(args["max-size"])
    if (size.kind === "bad") throw usageError(`--max-size: ${size.why}`)
    const limits = { bytes: size.value, members: 1_000_000 }
    const { findTrees } = await import("../bottle/work/open-workspace.ts")
    if (from.kind === "bottle" && to.kind !== "bottle") {
      const trees = await findTrees(shell.paths, from.slug)
      const work = await import("../bottle/work/copy/take-out.ts")
      if (to.kind === "stream") {
        if (args.json) throw usageError("--json and - both want standard output")
        if (isTerminal(1)) throw usageError("an archive is not for a terminal", "bottle cp SLUG:PATH - | tar -x")
        const { byteSink } = await import("../lib/stdio.ts")
        tellLeft(await work.streamOut(trees, from.path, byteSink(1), limits), shell)
        return 0
      }
      const taken = await work.takeOut(trees, from.path, to.path, { force: args.force, limits })
      if (args.json) shell.printJson({ ...taken })
      else {
        shell.log.info(`${taken.to}: ${taken.files} file${taken.files === 1 ? "" : "s"}, ${taken.bytes} bytes`)
        tellLeft(taken, shell)
      }
      return 0
    }
    if (to.kind === "bottle" && from.kind !== "bottle") {
      const trees = await findTrees(shell.paths, to.slug)
      const work = await import("../bottle/work/copy/put-in.ts")
      if (from.kind === "stream")
        await work.streamIn(trees, to.path, args.force, shell.stdin as import("node:stream").Readable)
      else await work.putIn(trees, from.path, to.path, args.force)
      return 0
    }
    throw usageError(
      from.kind === "bottle" ? "from one bottle to another: copy it here first" : "neither of the two is in a bottle",
      "a place in a bottle is SLUG:PATH; bottle list shows the slugs",
    )
  },
})

function tellLeft({ links, special, git, odd }: TakenOut, { log }: Shell): void {
  const left = [
    ...(links > 0 ? [`${links} link${links === 1 ? "" : "s"}`] : []),
    ...(special > 0 ? [`${special} of pipes, sockets and devices`] : []),
    ...(git > 0 ? [`${git} .git (commits come out with bottle pull)`] : []),
    ...(odd > 0 ? [`${odd} with control characters in their names`] : []),
  ]
  if (left.length > 0) log.warn(`not copied: ${left.join(", ")}`)
}

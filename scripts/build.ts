import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"
import { version } from "../package.json"
import { completionFiles, renderCompletions } from "../src/commands/completions/render.ts"
import { commands } from "../src/commands/index.ts"

/**
 * `npm run build [-- --target=bun-linux-arm64] [--outfile=path]`: compile `dist/bottle`.
 *
 * The two autoload flags are a security boundary: without them the binary runs the `bunfig.toml` and reads the
 * `.env` of whatever directory it is started in (FACTS 1). Splitting is what makes lazy imports lazy (FACTS 2).
 * The files of `completions/` are made anew from the commands.
 */

/**
 * Measured (medians of 25, an empty binary 11.8 ms): `--version` 6.4 ms with, 11.8 without; `list agents`, which loads
 * zod and yaml, 21 with, 53 without; a waiting keeper has 5 MB of private memory either way.
 */
const bytecode = true

/**
 * dockerode brings SSH and BuildKit clients along, which are not used here: they take 28 ms of its 43 to load and
 * may hold native code of the building machine (FACTS 3). An empty module stands for each.
 */
const withoutUnusedTransports: Bun.BunPlugin = {
  name: "without-unused-transports",
  setup(build) {
    build.onResolve({ filter: /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs|cpu-features)$/ }, ({ path }) => ({
      path,
      namespace: "unused",
    }))
    build.onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {}", loader: "js" }))
  },
}

/** OpenTUI's native part is one package a platform; only the target's is installed and goes in. */
const target = platformOf(process.argv.find((word) => word.startsWith("--target=")))
const otherPlatforms = ["darwin-x64", "darwin-arm64", "linux-x64", "linux-arm64", "win32-x64", "win32-arm64"]
  .flatMap((name) => [name, `${name}-musl`])
  .filter((name) => name !== target)
  .map((name) => `@opentui/core-${name}`)

if (!existsSync(join(import.meta.dir, "..", "node_modules", "@opentui", `core-${target}`))) {
  console.error(
    `the dashboard of ${target} needs its native part: npm install --no-save --force @opentui/core-${target}`,
  )
  process.exit(1)
}

/** OpenTUI highlights source code with grammars of 5 MB, which is not used here: an empty file stands for each. */
const withoutGrammars: Bun.BunPlugin = {
  name: "without-grammars",
  setup(build) {
    build.onLoad({ filter: /(@opentui\/core\/assets\/.*|web-tree-sitter\/.*\.wasm)$/ }, () => ({
      contents: "",
      loader: "file",
    }))
  },
}

const root = join(import.meta.dir, "..")
const { values } = parseArgs({ options: { target: { type: "string" }, outfile: { type: "string" } } })
const suffix = values.target === undefined ? "" : `-${values.target.replace(/^bun-/, "")}`
const outfile = values.outfile ?? join(root, "dist", `bottle${suffix}`)
// Built in a directory beside its final name and renamed: a running `bottle` keeps its file, a failed build leaves the
// old one, and the map of each chunk, which is in the binary as well, goes with the directory.
const building = join(dirname(outfile), `.building-${process.pid}`)
const unfinished = join(building, "bottle")

mkdirSync(building, { recursive: true })
try {
  const result = await Bun.build({
    entrypoints: [join(root, "src", "main.ts")],
    target: "bun",
    format: "esm",
    minify: true,
    splitting: true,
    // 1 MB, read only when something crashes: the crash log then names our files and lines.
    sourcemap: "inline",
    bytecode,
    define: { BOTTLE_VERSION: JSON.stringify(version) },
    plugins: [withoutUnusedTransports, withoutGrammars],
    external: otherPlatforms,
    compile: {
      outfile: unfinished,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
      ...(values.target === undefined ? {} : { target: values.target as Bun.Build.CompileTarget }),
    },
  })
  for (const log of result.logs) console.error(String(log))
  renameSync(unfinished, outfile)
  const completions = await renderCompletions(commands, version)
  for (const [kind, name] of Object.entries(completionFiles)) {
    writeFileSync(join(root, "completions", name), completions[kind as keyof typeof completionFiles])
  }
  emitApi()
  console.error(`built ${outfile} (${Math.round(Bun.file(outfile).size / 1e6)} MB)`)
} catch (error) {
  console.error(error instanceof AggregateError ? error.errors.map(String).join("\n") : error)
  process.exitCode = 1
} finally {
  rmSync(building, { recursive: true, force: true })
}

/** What programs import, as plain JavaScript with its types: `dist/api/` (`exports` in package.json). */
function emitApi(): void {
  const tsc = Bun.spawnSync(
    [process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.api.json"],
    {
      cwd: root,
      env: { ...process.env },
      stdout: "inherit",
      stderr: "inherit",
    },
  )
  if (tsc.exitCode !== 0) throw new Error("the API could not be compiled")
}

/** `linux-x64` of `--target=bun-linux-x64-baseline`; without one, of this machine. */
function platformOf(flag: string | undefined): string {
  const named = flag === undefined ? null : /^--target=bun-(\w+-\w+)/.exec(flag)
  return named?.[1] ?? `${process.platform}-${process.arch}`
}

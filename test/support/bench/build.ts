import { join } from "node:path"

const root = join(import.meta.dir, "..", "..", "..")

export interface BuildWish {
  outfile: string
  /** Program to compile instead of `src/main.ts`. */
  entry?: string
  /** Instead of what `scripts/build.ts` says. */
  bytecode?: boolean
}

/** Compile with `scripts/build.ts` itself, so that what is compared has its very flags. Returns the outfile. */
export async function build(wish: BuildWish): Promise<string> {
  const change = {
    ...(wish.entry === undefined ? {} : { entrypoints: [wish.entry] }),
    ...(wish.bytecode === undefined ? {} : { bytecode: wish.bytecode }),
  }
  const child = Bun.spawn(
    [
      ...[process.execPath, "--preload", join(import.meta.dir, "change-build.ts")],
      ...[join(root, "scripts", "build.ts"), `--outfile=${wish.outfile}`],
    ],
    {
      cwd: root,
      env: { ...process.env, BOTTLE_BENCH_BUILD: JSON.stringify(change) },
      stdout: "ignore",
      stderr: "pipe",
    },
  )
  const [words, code] = await Promise.all([child.stderr.text(), child.exited])
  if (code !== 0) throw new Error(`scripts/build.ts failed:\n${words}`)
  return wish.outfile
}

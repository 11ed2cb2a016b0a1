import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** A person's home for a bench, with one open bottle named `bench`. */
export interface BenchPlace {
  env: Record<string, string>
  work: string
}

export function makeBenchPlace(directory: string): BenchPlace {
  const inside = (...names: string[]) => join(directory, ...names)
  const home = inside("home")
  for (const path of [inside("home", ".bot-bottle", "bottles"), inside("run"), inside("work")]) {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }
  writeFileSync(
    inside("home", ".bot-bottle", "bottles", "bench.md"),
    "---\nagent_provider: {template: command}\negress: {routes: [{host: example.com}]}\n---\n",
  )
  return {
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: home, XDG_RUNTIME_DIR: inside("run"), LANG: "C.UTF-8" },
    work: inside("work"),
  }
}

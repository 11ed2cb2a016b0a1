/** Preloaded into `scripts/build.ts` by `build.ts`: changes the options that `BOTTLE_BENCH_BUILD` names. */
const change = JSON.parse(process.env.BOTTLE_BENCH_BUILD ?? "{}") as Partial<Bun.BuildConfig>
const build = Bun.build
Bun.build = ((config: Bun.BuildConfig) => build({ ...config, ...change } as Bun.BuildConfig)) as typeof Bun.build

import { scrubEnvironment } from "./lib/environment.ts"

// Nothing heavy is imported here: `--version` and the hidden commands answer in the time of an empty program.
const scrubbed = scrubEnvironment(process.env)
const argv = process.argv.slice(2)
const [name, ...rest] = argv

if ((name === "--version" || name === "-V") && rest.length === 0) {
  const { version } = await import("./lib/version.ts")
  console.log(`bottle ${version}`)
} else if (!(await runHidden())) {
  const { runMain } = await import("./commands/_main.ts")
  await runMain(argv, scrubbed)
}

/** The processes of a bottle, started by bottle itself and never by a person; false: argv names none of them. */
async function runHidden(): Promise<boolean> {
  try {
    if (name === "guest") await (await import("../sidecars/guest/main.ts")).runGuest(rest)
    else if (name === "demo-agent") await (await import("../sidecars/guest/demo-agent.ts")).runDemoAgent(rest)
    else if (name === "demo-upstream") await (await import("../sidecars/demo-upstream.ts")).runDemoUpstream()
    else if (name === "sidecar") await (await import("../sidecars/main.ts")).runSidecars(rest)
    else if (name === "keep") await (await import("./bottle/keeper/main.ts")).runKeeper(rest)
    else if (name === "api") await (await import("./commands/_api.ts")).runApi()
    else return false
    return true
  } catch (error) {
    const { reportFailure } = await import("./commands/_failure.ts")
    process.exit(reportFailure(error, argv))
  }
}

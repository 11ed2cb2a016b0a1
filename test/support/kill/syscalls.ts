import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Place, placeBinary } from "../place.ts"
import { waitFor } from "../wait.ts"
import { BottleRun } from "./bottle-run.ts"
import { seeProcesses } from "./processes.ts"

/** System calls by which a keeper changes anything outside itself. */
const changing =
  "?rename,?renameat,renameat2,?unlink,unlinkat,?mkdir,mkdirat,?rmdir,fsync,bind,connect,?chmod,fchmod,?link,linkat,kill,flock,?vfork,clone,clone3,write,sendto,pwrite64"

/** Kill with -9 before the `nth` call of each thread. */
const killAt = (nth: number, log: string): string[] => [
  "strace",
  ...["-f", "-I", "2", "--detach-on=execve", "-o", log, "-e", `trace=${changing}`],
  ...["-e", `inject=${changing}:signal=SIGKILL:when=${nth}`],
]

async function attach(place: Place, pid: number, nth: number): Promise<Bun.Subprocess> {
  const argv = [...killAt(nth, join(place.dir, "strace.log")), "-p", String(pid)]
  const tracer = Bun.spawn(argv, { stdio: ["ignore", "ignore", "pipe"], env: { PATH: "/usr/bin:/bin" } })
  const reader = tracer.stderr.getReader()
  for (let said = ""; !said.includes("attached"); ) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`strace: ${said}`)
    said += Buffer.from(value).toString()
  }
  reader.releaseLock()
  return tracer
}

const gate = (place: Place): string => join(place.work, "gate")

/** A bottle whose start waits, with its keeper there and not yet told anything, until a file appears. */
export function writeGatedBottle(place: Place): void {
  const route = "{ host: api.example, auth: { scheme: Bearer, token_ref: GATED } }"
  place.writeBottle("gated", `agent_provider: {template: command}\negress: { routes: [${route}] }`)
  const wait = `while [ ! -e ${gate(place)} ]; do sleep 0.01; done; echo value`
  writeFileSync(
    join(place.botHome, "settings.yml"),
    `secrets:\n  GATED: { command: [sh, -c, ${JSON.stringify(wait)}] }\n`,
    { mode: 0o644 },
  )
}

/** Each: bring a bottle there with its keeper under the tracer. Resolves with whether the keeper was killed. */
export const traced = {
  async launch(place: Place, nth: number): Promise<{ run: BottleRun; killed: boolean }> {
    await Bun.file(gate(place))
      .delete()
      .catch(() => undefined)
    const run = new BottleRun(place, "idle", true, "gated")
    const keeper = await waitFor("a waiting keeper", () =>
      seeProcesses(place, "").find(({ isOurs, argv }) => isOurs && argv[1] === "keep"),
    )
    const tracer = await attach(place, keeper.pid, nth)
    await Bun.write(gate(place), "")
    await waitFor("an end or an agent", () => tracer.exitCode !== null || run.find("agent"))
    return { run, killed: await letGo(tracer, join(place.dir, "strace.log")) }
  },

  async stop(place: Place, nth: number): Promise<{ run: BottleRun; killed: boolean }> {
    const run = new BottleRun(place, "working", true)
    await run.running("working")
    const keeper = run.find("keeper") ?? 0
    const tracer = await attach(place, keeper, nth)
    await place.bottle(["stop", run.slug])
    return { run, killed: await letGo(tracer, join(place.dir, "strace.log")) }
  },

  async takeOver(place: Place, nth: number): Promise<{ run: BottleRun; killed: boolean }> {
    const run = new BottleRun(place, "working", false)
    await run.running("working")
    await run.kill("keeper")
    const log = join(place.home, "strace.log")
    const argv = place.as([...killAt(nth, log), placeBinary(place), "keep", run.slug, "--adopt"])
    const tracer = Bun.spawn(argv, { env: place.env, cwd: "/", stdio: ["ignore", "pipe", "ignore"] })
    const reader = tracer.stdout.getReader()
    await reader.read()
    reader.releaseLock()
    return { run, killed: await letGo(tracer, log) }
  },
} as const

/** Detach; the tracer has written down whether it killed. */
async function letGo(tracer: Bun.Subprocess, log: string): Promise<boolean> {
  tracer.kill("SIGTERM")
  // It can wait for ever for a process that was killed inside a vfork; killed itself, it lets go as well.
  await Promise.race([tracer.exited, Bun.sleep(2_000)])
  tracer.kill("SIGKILL")
  await tracer.exited
  return readFileSync(log, "utf8").includes("+++ killed by SIGKILL +++")
}

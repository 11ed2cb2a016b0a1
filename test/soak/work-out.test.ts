import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import { run } from "../support/command.ts"
import { makePlace, whos } from "../support/place.ts"
import { git, giveTo } from "../support/repository/evil.ts"
import { identity, runIn } from "../support/repository/plain.ts"
import { requirePart } from "../support/require.ts"

/** A gigabyte and a hundred thousand refs on their way out: streamed, within the same little memory. */

setDefaultTimeout(1_800_000)
const here = ["binary", "bwrap", "git"].every(requirePart)
/** Bytes; the program takes about 90 MB by itself. */
const mostMemory = 300 * 2 ** 20

describe.skipIf(!here)("large work", () => {
  if (!here) return
  const place = makePlace(whos[0] ?? "user")
  const repo = join(place.work, "repo")
  let slug = ""

  beforeAll(async () => {
    place.writeBottle("dev", "agent_provider: {template: command}")
    const made = await run(
      [
        "sh",
        "-c",
        `mkdir -p ${repo} && cd ${repo} && for i in 1 2 3 4 5 6 7 8; do head -c 128000000 /dev/urandom > f$i; done`,
      ],
      { timeout: 300_000 },
    )
    expect(made.code, made.stderr).toBe(0)
    giveTo(place, place.work)
    await git(place, repo, "init", "-q", "-b", "main")
    await git(place, repo, "-c", "core.compression=0", "add", "-A")
    await git(place, repo, "commit", "-q", "-m", "first")
    await run(["chmod", "-R", "a+rX", place.work])
    const work = `${identity}; git config core.compression 0; for i in 1 2 3 4 5 6 7 8; do head -c 128000000 /dev/urandom > n$i; done
git add -A; git commit -qm large; i=0; while [ $i -lt 100000 ]; do echo "create refs/remotes/x/b$i HEAD"; i=$((i+1)); done | git update-ref --stdin; git pack-refs --all; exit 3`
    const started = performance.now()
    slug = await runIn(place, repo, work)
    console.error(`started, and the agent done, after ${((performance.now() - started) / 1000).toFixed(1)} s`)
  })

  /** Run bottle under `time`, which tells of the largest memory. */
  async function measured(...args: string[]) {
    const started = performance.now()
    const script =
      'exec 3>&1; python3 -c "import resource,subprocess,sys; c=subprocess.run(sys.argv[1:]).returncode; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(c)" "$@"'
    const argv = place.as(["sh", "-c", script, "measure", join(place.dir, "bottle"), ...args])
    const done = await run(["sh", "-c", 'out=$1; shift; "$@" > "$out"', "to", join(place.dir, "stdout"), ...argv], {
      env: place.env,
      cwd: place.work,
      timeout: 1_200_000,
    })
    const kilobytes = Number(done.stderr.trim().split("\n").at(-1))
    console.error(
      `bottle ${args[0]}: ${((performance.now() - started) / 1000).toFixed(1)} s, ${Math.round(kilobytes / 1024)} MB`,
    )
    return { ...done, memory: kilobytes * 1024 }
  }

  for (const args of [["diff"], ["diff", "--stat"], ["pull"]]) {
    test(`bottle ${args.join(" ")} streams it`, async () => {
      const [verb = "", ...flags] = args
      const done = await measured(verb, slug, ...flags)
      expect(done.code, done.stderr).toBe(0)
      expect(done.memory).toBeLessThan(mostMemory)
    })
  }

  test("bottle cp streams it", async () => {
    const out = join(place.work, "n1")
    const done = await measured("cp", `${slug}:n1`, out)
    expect(done.code, done.stderr).toBe(0)
    expect(existsSync(out) && statSync(out).size).toBe(128_000_000)
    expect(done.memory).toBeLessThan(mostMemory)
  })
})

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { run } from "../../support/command.ts"
import { busyboxTree, importImage, useEngine } from "../../support/docker/engine.ts"
import { type SshServer, startSshd } from "../../support/docker/ssh-server.ts"
import { makePlace, type Place } from "../../support/place.ts"
import { requirePart } from "../../support/require.ts"
import { tempDir } from "../../support/temp.ts"
import { waitFor } from "../../support/wait.ts"

const able = ["dockerd", "busybox", "binary", "bwrap", "sshd", "openssl", "pgrep"].every(requirePart)
const dir = tempDir("remote")
const tlsPort = 20_000 + (process.pid % 10_000)
if (able) await makeCertificates(dir)
const pem = (name: string) => join(dir, name)
const near = useEngine(able, undefined, {
  argv: [
    ...["-H", `tcp://127.0.0.1:${tlsPort}`, "--tlsverify"],
    ...["--tlscacert", pem("ca.pem"), "--tlscert", pem("cert.pem"), "--tlskey", pem("key.pem")],
  ],
})
const far = useEngine(able, undefined, { nth: 1 })
/** Never used: its tests are skipped. */
const noPlace = {} as Place

describe.skipIf(!able)("an engine that is elsewhere", () => {
  const place = able ? makePlace("root") : noPlace
  let ssh: SshServer
  let overSsh: Record<string, string>
  const start = ["start", "--headless", "--backend", "docker", "--bottle", "small", "--", "sh", "-c"]
  const onlyState = () => place.states()[0] ?? ""
  const rows = async () => JSON.parse((await place.bottle(["list", "--json"])).stdout).active

  beforeAll(async () => {
    const tree = await busyboxTree(dir)
    for (const engine of [near, far]) await importImage(engine, tree, "busybox:1")
    place.writeBottle("small", "agent_provider: {template: command}\ndocker: { image: 'busybox:1' }")
    ssh = await startSshd(dir, { DOCKER_HOST: far.host })
    overSsh = { ...place.env, ...ssh.env, DOCKER_HOST: `ssh://root@127.0.0.1:${ssh.port}` }
  }, 300_000)
  afterAll(async () => {
    for (const slug of place.states?.() ?? []) await place.bottle(["destroy", slug, "--yes"], { env: overSsh })
    await ssh?.stop()
  })

  test("behind ssh runs a bottle, which every other process finds there, whatever DOCKER_HOST says by then", async () => {
    const done = await place.bottle([...start, "echo kept > f; exit 7"], { env: overSsh })
    expect([done.code, done.stderr]).toEqual([7, expect.stringContaining("state kept")])
    const slug = onlyState()
    expect(await far.left()).toContain(`bot-bottle-${slug}-workspace`)
    expect(await near.left()).toEqual([])
    const elsewhere = { ...place.env, ...ssh.env, DOCKER_HOST: near.host }
    const plan = await place.bottle(["resume", slug, "--headless", "--dry-run"], { env: elsewhere })
    expect(plan.stderr).toContain(`ssh://root@127.0.0.1:${ssh.port}`)
    const again = await place.bottle(["resume", slug, "--headless"], { env: elsewhere })
    expect(again.code).toBe(7)
    expect((await place.bottle(["destroy", slug, "--yes"], { env: elsewhere })).code).toBe(0)
    expect([await far.left(), await near.left(), place.states()]).toEqual([[], [], []])
  }, 300_000)

  test("goes on beside one here: listed, entered, stopped and destroyed from other processes", async () => {
    place.writeBottle("long", "extends: small")
    const launch = (env: Record<string, string>, label: string) =>
      Bun.spawn(
        [
          ...[join(place.dir, "bottle"), "start", "--headless", "--backend", "docker", "--bottle", "long"],
          ...["--label", label, "--", "sh", "-c", "echo work > f; sleep 98765"],
        ],
        { cwd: place.work, env, stdio: ["ignore", "ignore", "ignore"] },
      )
    const clients = [launch(overSsh, "there"), launch({ ...place.env, DOCKER_HOST: near.host }, "here")]
    await waitFor(
      "both",
      async () => (await rows()).filter(({ state }: { state: string }) => state === "running").length === 2,
      300_000,
    )
    const slugs: Record<string, string> = Object.fromEntries(
      (await rows()).map(({ label, slug }: { label: string; slug: string }) => [label, slug]),
    )
    // No word of any engine in the environment: the keepers know.
    for (const [label, engine] of [
      ["there", far],
      ["here", near],
    ] as const) {
      const slug = slugs[label] ?? ""
      expect((await engine.left()).filter((name) => name === `bot-bottle-${slug}-agent`).length).toBe(1)
      const written = async () => (await place.bottle(["exec", slug, "--", "cat", "/workspace/f"])).stdout
      await waitFor("its work", async () => (await written()) === "work\n")
      expect((await place.bottle(["stop", slug])).code).toBe(0)
    }
    for (const client of clients) await client.exited
    expect((await rows()).map(({ state }: { state: string }) => state)).toEqual(["stopped", "stopped"])
    const { there = "", here = "" } = slugs
    expect((await place.bottle(["destroy", here, "--yes"])).code).toBe(0)
    expect((await place.bottle(["destroy", there, "--yes"], { env: { ...place.env, ...ssh.env } })).code).toBe(0)
    expect([await far.left(), await near.left(), place.states()]).toEqual([[], [], []])
    await waitFor("every ssh's end", async () => (await ssh.sessions()) === 0)
  }, 300_000)

  test("is refused clearly when it cannot be reached, and nothing is lost by that", async () => {
    const done = await place.bottle([...start, "echo kept > f; exit 7"], { env: overSsh })
    expect(done.code).toBe(7)
    const slug = onlyState()
    ssh.configure(false)
    const unknown = await place.bottle(["resume", slug, "--headless"], { env: overSsh })
    expect([unknown.code, unknown.stderr]).toEqual([4, expect.stringContaining("look at its host key once by hand")])
    const refused = await place.bottle(["destroy", slug, "--yes"], { env: overSsh })
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining("ssh cannot reach the engine")])
    expect((await rows())[0]).toMatchObject({ slug, state: "stopped" })
    ssh.configure(true)
    const keyless = { ...overSsh, SSH_AUTH_SOCK: "/nonexistent" }
    const denied = await place.bottle(["demo", "--backend", "docker"], { env: keyless })
    expect([denied.code, denied.stderr]).toEqual([4, expect.stringContaining("must ask nothing")])
    const closed = { ...overSsh, DOCKER_HOST: "ssh://root@127.0.0.1:1" }
    const none = await place.bottle(["demo", "--backend", "docker"], { env: closed })
    expect([none.code, none.stderr]).toEqual([4, expect.stringContaining("Connection refused")])
    const noClient = { ...overSsh, PATH: dir }
    const without = await place.bottle(["demo", "--backend", "docker"], { env: noClient })
    expect([without.code, without.stderr]).toEqual([4, expect.stringContaining("no ssh on this machine")])
    const socket = { ...overSsh, DOCKER_HOST: `${overSsh.DOCKER_HOST}/nonexistent/s` }
    const engineless = await place.bottle(["demo", "--backend", "docker"], { env: socket })
    expect([engineless.code, engineless.stderr]).toEqual([4, expect.stringContaining("reaches no engine")])
    expect((await place.bottle(["destroy", slug, "--yes"], { env: overSsh })).code).toBe(0)
    expect([await far.left(), place.states()]).toEqual([[], []])
  }, 300_000)

  test("over TLS runs the demo, by DOCKER_HOST and by a context, and only with the right authority", async () => {
    const tls = {
      ...place.env,
      DOCKER_HOST: `tcp://127.0.0.1:${tlsPort}`,
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: dir,
    }
    const demo = await place.bottle(["demo", "--backend", "docker"], { env: tls })
    expect(demo).toMatchObject({ code: 0, stderr: "" })
    expect(demo.stdout.match(/✓/g)?.length).toBe(8)
    const byName = { ...tls, DOCKER_HOST: `tcp://localhost:${tlsPort}` }
    expect((await place.bottle(["demo", "--backend", "docker"], { env: byName })).code).toBe(4)
    const config = join(place.home, ".docker")
    const id = createHash("sha256").update("far").digest("hex")
    const contexts = (kind: string) => join(config, "contexts", kind, id)
    mkdirSync(contexts("meta"), { recursive: true })
    mkdirSync(join(contexts("tls"), "docker"), { recursive: true })
    const Host = `tcp://127.0.0.1:${tlsPort}`
    writeFileSync(join(contexts("meta"), "meta.json"), JSON.stringify({ Name: "far", Endpoints: { docker: { Host } } }))
    for (const name of ["ca.pem", "cert.pem", "key.pem"])
      writeFileSync(join(contexts("tls"), "docker", name), readFileSync(pem(name)))
    writeFileSync(join(config, "config.json"), JSON.stringify({ currentContext: "far" }))
    const doctor = async () => (await place.bottle(["doctor"])).stdout
    expect(await doctor()).toMatch(new RegExp(`docker .*127.0.0.1:${tlsPort}`))
    writeFileSync(join(contexts("tls"), "docker", "ca.pem"), readFileSync(pem("other.pem")))
    expect(await doctor()).toContain("does not answer")
    writeFileSync(join(config, "config.json"), "{")
    expect(await doctor()).toContain("config.json: it is not a JSON object")
    expect(await near.left()).toEqual([])
  }, 300_000)
})

/** An authority, one certificate of it for the engine and its client, and an authority that made neither. */
async function makeCertificates(at: string): Promise<void> {
  const openssl = async (...words: string[]) => {
    const done = await run(["openssl", ...words], { cwd: at })
    if (done.code !== 0) throw new Error(done.stderr)
  }
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
  for (const name of ["ca", "other"]) {
    await openssl(
      "req",
      "-x509",
      ...key,
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.pem`,
    )
  }
  await openssl("req", ...key, "-subj", "/CN=engine", "-keyout", "key.pem", "-out", "engine.csr")
  writeFileSync(join(at, "ext"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
  const sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext"]
  await openssl("x509", "-req", "-in", "engine.csr", ...sign, "-out", "cert.pem")
}

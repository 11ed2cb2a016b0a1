import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ImageOrder, LaunchSpec, RunningBottle } from "../../src/backends/backend.ts"
import { parseRecord } from "../../src/backends/docker/record.ts"
import { BottleError } from "../../src/lib/errors.ts"
import { backendOf, bringUpIn, secret, specIn } from "../integration/docker/test-bottle.ts"
import { runShell } from "../integration/namespace/guest-client.ts"
import { busyboxTree, importImage, useEngine } from "../support/docker/engine.ts"
import { importPackages, whyNoHostImage } from "../support/docker/host-image.ts"
import { requirePart } from "../support/require.ts"
import { tempDir } from "../support/temp.ts"

/** What an agent could write into a Dockerfile to get the better of the build, or of the next bottle (SECURITY 4, 24). */

const able = ["dockerd", "busybox", "binary", "bwrap"].every(requirePart) && whyNoHostImage() === undefined
const engine = useEngine(able)
const dir = tempDir("attack")

describe.skipIf(!able)("a Dockerfile of an agent's", () => {
  const backend = backendOf(engine)
  const lines: string[] = []
  const order = (dockerfile: string, confined = true): ImageOrder => ({
    ...{ name: "agent", origin: "state/x/Dockerfile", dockerfile, args: {} },
    ...(confined ? { confined: { bases: ["base:1", "tools:1"], network: false } } : {}),
  })
  const build = async (one: ImageOrder) => {
    lines.length = 0
    if (backend.buildImage === undefined) throw new Error("no images")
    return backend.buildImage(one, (line) => lines.push(line))
  }
  const refusal = async (text: string) => {
    try {
      await build(order(text))
    } catch (error) {
      if (error instanceof BottleError) return `${error.exitCode} ${error.message}`
      throw error
    }
    throw new Error("it was built")
  }
  const asked: string[] = []
  const host = able
    ? Bun.serve({
        port: 0,
        hostname: "0.0.0.0",
        fetch(request) {
          asked.push(new URL(request.url).pathname)
          return new Response("the host's own service")
        },
      })
    : undefined

  beforeAll(async () => {
    const tree = await busyboxTree(dir)
    await importImage(engine, tree, "base:1")
    await importPackages(engine, dir, "tools:1", ["bash", "coreutils", "dash"])
    writeFileSync(join(tree, "private"), "another image's secret")
    await importImage(engine, tree, "other:1")
  }, 300_000)
  afterAll(() => host?.stop(true))

  test("reaches no service of the host from its steps, though a build of an operator's does", async () => {
    const step = (path: string) =>
      [
        "FROM tools:1",
        `RUN bash -c 'exec 3<>/dev/tcp/${engine.address}/${host?.port} && printf "GET ${path} HTTP/1.0\\r\\nHost: h\\r\\n\\r\\n" >&3 && cat <&3'`,
      ].join("\n")
    await build(order(step("/operator"), false))
    expect(asked).toEqual(["/operator"])
    expect(await refusal(step("/agent"))).toContain("could not be built at step 2")
    expect(lines.join("\n")).toMatch(/unreachable/i)
    expect(asked).toEqual(["/operator"])
    const chosen = order(step("/chosen"))
    await build({ ...chosen, confined: { bases: ["tools:1"], network: true } })
    expect(asked).toEqual(["/operator", "/chosen"])
    // What was made with a network is not what the same text makes without one.
    expect(await refusal(step("/chosen"))).toContain("could not be built at step 2")
  }, 300_000)

  test("has the engine fetch nothing, though it would, whatever network the steps have", async () => {
    const add = (path: string) => `FROM base:1\nADD http://127.0.0.1:${host?.port}${path} /got\n`
    await build(order(add("/by-the-engine"), false))
    expect(asked).toContain("/by-the-engine")
    expect(await refusal(add("/for-an-agent"))).toContain("the engine itself would fetch it")
    expect(asked).not.toContain("/for-an-agent")
  }, 300_000)

  test.each([
    ["starts from another image that is there", "FROM other:1\n"],
    ["copies from another image that is there", "FROM base:1\nCOPY --from=other:1 /private /private\n"],
    ["hides a base in a mount", "FROM base:1\nRUN --mount=type=bind,from=other:1,target=/o cat /o/private\n"],
    ["hides a base behind a comment", "FROM base:1\nRUN id \\\n# syntax=x\nFROM other:1\n"],
    ["hides a base in a variable", "ARG A=other:1\nFROM base:1\nCOPY --from=$A /private /private\n"],
    ["chooses another reader", "# syntax=evil.example/frontend\nFROM base:1\n"],
    ["takes files of the host", "FROM base:1\nCOPY . /host\n"],
    ["leaves a trap for the next build", "FROM base:1\nONBUILD COPY --from=other:1 /private /private\n"],
  ])("that %s is refused before the engine hears of it", async (_what, text) => {
    expect(await refusal(text)).toMatch(/^3 state\/x\/Dockerfile:\d: /)
    expect(lines).toEqual([])
  })

  test("pulls nothing that is not there", async () => {
    const missing = { ...order("FROM absent:1\n"), confined: { bases: ["absent:1"], network: false } }
    const failed = await build(missing).catch((error: unknown) => error)
    expect(failed).toMatchObject({ exitCode: 4, message: expect.stringContaining("pulls nothing") })
  })

  test("draws nothing on the operator's terminal", async () => {
    await build(
      order(
        `FROM base:1\nRUN printf '\\033]52;c;b3duZWQ=\\007\\033[2J\\033[Hlaunch? [y/N] \\r\\n\\342\\200\\256x\\n'\n`,
      ),
    )
    expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  }, 300_000)

  describe("whose image says all that an image can say", () => {
    let spec: LaunchSpec
    let bottle: RunningBottle | undefined
    const hostile = [
      "FROM base:1",
      "USER 0",
      "RUN mkdir -p /run/bottle/net /run/bottle/guest /home/node /workspace /data /root/.ssh",
      "RUN for d in /run/bottle/net /run/bottle/guest /home/node /workspace /data; do echo planted > $d/planted; done",
      "RUN echo planted > /run/bottle/net/egress.sock && ln -s /bin/sh /run/bottle/bottle && mkdir -p /etc",
      "RUN echo 'nameserver 192.0.2.53' > /etc/resolv.conf || true",
      "VOLUME /data /home/node /workspace",
      'LABEL bot-bottle.slug=other bot-bottle.role=sidecars "bot-bottle.role "=agent',
      "ENV LD_PRELOAD=/evil.so BUN_OPTIONS=--preload=/evil.ts BUN_BE_BUN=1 NODE_OPTIONS=--require=/evil.js HTTP_PROXY=http://192.0.2.1",
      "ENV PATH=/evil HOME=/evil LD_LIBRARY_PATH=/evil",
      "HEALTHCHECK --interval=1s CMD touch /tmp/health; touch /workspace/health",
      "STOPSIGNAL SIGCONT",
      "EXPOSE 9099",
      "WORKDIR /workspace/evil",
      'ENTRYPOINT ["/bin/sh", "-c", "sleep 1000"]',
      'CMD ["evil"]',
    ].join("\n")
    const inspect = async (id: string) => JSON.parse(await engine.docker("inspect", id))[0]

    beforeAll(async () => {
      // Folders that the launch must not find filled.
      mkdirSync(join(dir, "x"), { recursive: true })
      spec = specIn(dir, { build: order(hostile) })
      await build(order(hostile))
      const up = await bringUpIn(backend, spec)
      bottle = up.bottle
      expect(up.probes.filter((probe) => !probe.ok)).toEqual([])
    }, 300_000)
    afterAll(async () => {
      await bottle?.stop()
      await backend.forget?.(spec.slug)
    })
    const running = () => {
      if (bottle === undefined) throw new Error("it is not up")
      return bottle
    }

    test("is an image of an agent's by its labels, and its container is what the plan says", async () => {
      const { agent, sidecars } = parseRecord(running().record) ?? {}
      const info = await inspect(agent?.id ?? "")
      const image = await inspect(agent?.image ?? "")
      expect(image.Config.Labels).toMatchObject({ "bot-bottle.role": "agent-image", "bot-bottle.slug": "" })
      expect(info.Config.Labels).toMatchObject({ "bot-bottle.slug": spec.slug, "bot-bottle.role": "agent" })
      expect(info.Config).toMatchObject({
        ...{ User: "1000:1000", WorkingDir: "/", StopSignal: "SIGKILL" },
        Entrypoint: ["/run/bottle/bin/bottle"],
        Healthcheck: { Test: ["NONE"] },
      })
      expect(info.State.Health).toBeUndefined()
      expect((await inspect(sidecars?.id ?? "")).Image).not.toBe(agent?.image)
      expect(JSON.stringify([info, image])).not.toContain(secret)
    })

    test("fills neither the sockets' volume nor home nor workspace, and no place of ours", async () => {
      const look =
        "for d in /run/bottle/net /run/bottle/guest /home/node /workspace /data; do ls -A $d; done; ls -l /run/bottle"
      const { output } = await runShell(running(), look)
      expect(output).toContain("egress.sock")
      expect(output).not.toContain("planted")
      expect(output).not.toContain("health")
      expect(output).not.toContain("-> /bin/sh")
    })

    test("reaches our first process by no variable, and makes nobody root", async () => {
      const { output } = await runShell(running(), "id; tr '\\0' '\\n' < /proc/1/environ; cat /etc/resolv.conf")
      expect(output).toStartWith("uid=1000")
      expect(output).not.toMatch(/evil|BUN_|192\.0\.2/)
    })

    test("is not mistaken for sidecars: no secret goes to a container that is not the recorded one", async () => {
      const record = parseRecord(running().record)
      if (!record?.agent) throw new Error("no record")
      const swapped = { ...record, sidecars: record.agent }
      expect(await backend.adopt(swapped, spec)).toBeUndefined()
      const lookalike = await engine.docker(
        ...["create", "--network=none", "--name", `bot-bottle-${spec.slug}x-sidecars`, record.agent.image],
      )
      const posing = { ...record, sidecars: { id: lookalike, image: record.agent.image } }
      expect(await backend.adopt(posing, spec)).toBeUndefined()
      await engine.docker("rm", "-fv", lookalike)
    })
  })

  test.each(["/run/bottle/net", "/etc", "/usr/local"])(
    "that declares a volume over %s starts no bottle and leaves nothing",
    async (path) => {
      const spec = specIn(dir, { build: order(`FROM base:1\nVOLUME ${path}\n`) })
      await expect(bringUpIn(backend, spec)).rejects.toThrow("the image declares a volume at")
      await backend.forget?.(spec.slug)
      expect((await engine.left()).filter((name) => name.includes(spec.slug))).toEqual([])
    },
    300_000,
  )
})

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { FrameKind } from "../../../src/lib/frames.ts"
import { readFirstLine } from "../../../src/lib/lines.ts"
import { requirePart } from "../../support/require.ts"
import { waitFor } from "../../support/wait.ts"
import { ask, askOn, runShell, startSession } from "./guest-client.ts"
import { cleanUpAfterwards, launch, specIn, type TestBottle, useFakeBinary } from "./test-bottle.ts"

const binary = useFakeBinary()
cleanUpAfterwards()
const pty = { cols: 80, rows: 24 }

describe.skipIf(!requirePart("bwrap"))("a session in a bottle", () => {
  let it: TestBottle
  beforeAll(async () => {
    it = await launch(specIn(binary()))
  })
  afterAll(() => it.bottle.stop())

  test("with pipes keeps the two outputs apart and passes the code on", async () => {
    const end = await runShell(it.bottle, "echo out; echo err >&2; exit 7")
    expect(end).toEqual({ code: 7, signal: null, output: "out\n", errors: "err\n" })
  })

  test("names the signal that ended it", async () => {
    expect(await runShell(it.bottle, "kill -9 $$")).toMatchObject({ code: 137, signal: "SIGKILL" })
  })

  test("has exactly the given environment, without Bun's own switches", async () => {
    const env = { ONE: "1", BUN_OPTIONS: "--preload=/x", BUN_BE_BUN: "1" }
    const seen = await startSession(it.bottle, ["/usr/bin/env"], { env })
    await seen.ended
    expect(seen.output()).toBe("ONE=1\n")
  })

  test("reads its input to the end", async () => {
    const session = await startSession(it.bottle, ["/usr/bin/sha256sum"], { stdin: true })
    for (let sent = 0; sent < 40; sent++) session.send("x".repeat(60_000))
    session.frame(FrameKind.eof, "")
    await session.ended
    const wanted = new Bun.CryptoHasher("sha256").update("x".repeat(40 * 60_000)).digest("hex")
    expect(session.output()).toStartWith(wanted)
  })

  test("delivers all output before the exit", async () => {
    const end = await runShell(it.bottle, "head -c 8000000 /dev/zero | tr '\\0' a; exit 3")
    expect([end.code, end.output.length]).toEqual([3, 8_000_000])
  })

  test("on a terminal echoes, resizes and is interrupted", async () => {
    const session = await startSession(it.bottle, ["/bin/sh"], { pty, stdin: true })
    session.send("stty size; tty\n")
    await waitFor("the size", () => session.output().includes("24 80") && session.output().includes("/dev/pts/"))
    session.frame(FrameKind.resize, { cols: 101, rows: 33 })
    session.send("stty size\n")
    await waitFor("the new size", () => session.output().includes("33 101"))
    session.send("sleep 100\n")
    await waitFor(
      "the sleep",
      async () => ((await ask(it.bottle, { op: "status" })) as { processes: number }).processes >= 2,
    )
    // The first may come before the shell has made the sleep its foreground.
    await waitFor("the interrupt", async () => {
      session.send("\x03")
      return ((await ask(it.bottle, { op: "status" })) as { processes: number }).processes === 1
    })
    // The key also throws away what was typed before it is handled.
    await waitFor("the prompt", () => {
      session.send("echo at-$((6*7))\n")
      return session.output().includes("at-42")
    })
    session.send("exit 5\n")
    expect(await session.ended).toEqual({ code: 5, signal: null })
  })

  test("on a terminal delivers all output before the exit, however slowly it is taken", async () => {
    const session = await startSession(
      it.bottle,
      ["/bin/sh", "-c", "head -c 6000000 /dev/zero | tr '\\0' b; echo; echo last"],
      { pty },
    )
    session.stream.pause()
    session.stream.resume()
    await session.ended
    expect(session.output().match(/b/g)?.length).toBe(6_000_000)
    expect(session.output()).toEndWith("last\r\n")
  })

  test("on a terminal is held back while nobody takes its output", async () => {
    const line = "n=0; while :; do printf %4096s; n=$((n+1)); echo $n >~/progress; done"
    const env = { PATH: "/usr/bin:/bin", HOME: "/home/node" }
    const session = await startSession(it.bottle, ["/bin/sh", "-c", line], { pty, env })
    session.stream.pause()
    let before = -1
    const written = await waitFor("the writer to stand still", async () => {
      const now = Number((await runShell(it.bottle, "cat ~/progress; sleep 0.2")).output)
      const stands = now > 0 && now === before
      before = now
      return stands ? now * 4096 : undefined
    })
    expect(written).toBeLessThan(16_000_000)
    session.stream.destroy()
  })

  test("takes signals for the whole group", async () => {
    const session = await startSession(it.bottle, [
      "/bin/sh",
      "-c",
      "trap 'echo got; exit 4' USR1; echo ready; while :; do sleep 0.01; done",
    ])
    await waitFor("the trap", () => session.output().includes("ready"))
    session.frame(FrameKind.signal, { signal: "SIGUSR1" })
    const end = await session.ended
    expect(session.output()).toContain("got")
    expect(end.code === 4 || end.signal === "SIGUSR1").toBe(true)
  })

  test("ends with its connection, also for those who ignore the hint", async () => {
    const line = "trap '' HUP TERM; sleep 1000 & echo ready; wait; sleep 1000"
    const session = await startSession(it.bottle, ["/bin/sh", "-c", line], { pty })
    await waitFor("the start", () => session.output().includes("ready"))
    session.stream.destroy()
    await waitFor(
      "the end",
      async () => ((await ask(it.bottle, { op: "status" })) as { processes: number }).processes === 0,
    )
  })

  test("goes on with a connection that carried other requests before, also in one piece", async () => {
    const stream = await it.bottle.connectGuest()
    const files = [{ path: "/home/node/asked-before", mode: 0o600, content: "written" }]
    expect(await askOn(stream, { op: "files", files })).toEqual({ ok: true })
    stream.write('{"op":"status"}\n{"op":"status"}\n')
    for (let answers = 0; answers < 2; answers++)
      expect(JSON.parse(await readFirstLine(stream))).toMatchObject({ ok: true })
    const session = await startSession(it.bottle, ["/bin/cat", "/home/node/asked-before", "-"], { stdin: true }, stream)
    session.send(" and typed")
    session.frame(FrameKind.eof, "")
    expect(await session.ended).toMatchObject({ code: 0 })
    expect(session.output()).toBe("written and typed")
  })

  test("is not begun on a connection that asked for nonsense", async () => {
    const stream = await it.bottle.connectGuest()
    stream.write('{}\n{"op":"status"}\n')
    expect(JSON.parse(await readFirstLine(stream))).toMatchObject({ ok: false })
    await expect(readFirstLine(stream)).rejects.toThrow("ended")
  })

  test("that cannot start says why", async () => {
    await expect(startSession(it.bottle, ["/no/such/program"])).rejects.toThrow(/ENOENT|no such/i)
    await expect(startSession(it.bottle, ["/bin/true"], { cwd: "/no/such/dir" })).rejects.toThrow()
  })

  test.each([
    ["not json\n"],
    ["{}\n"],
    ['{"op":"start"}\n'],
    ["[1]\n"],
    ['{"op":"start","argv":[],"env":{},"cwd":"/","pty":null,"stdin":true}\n'],
  ])("refuses %j and lives on", async (bytes) => {
    const stream = await it.bottle.connectGuest()
    stream.write(bytes)
    expect(JSON.parse(await readFirstLine(stream))).toMatchObject({ ok: false })
    stream.destroy()
    expect(await ask(it.bottle, { op: "status" })).toMatchObject({ ok: true })
  })

  test("lives on after a frame that is none", async () => {
    const session = await startSession(it.bottle, ["/bin/cat"], { stdin: true })
    session.stream.write(Buffer.from([99, 255, 255, 255, 255]))
    await session.ended.catch(() => {})
    await waitFor(
      "the end",
      async () => ((await ask(it.bottle, { op: "status" })) as { processes: number }).processes === 0,
    )
  })

  test("reaches the sidecar by the loopback port, both ways at once", async () => {
    const script = `
      const s = require("net").connect(9099, "127.0.0.1");
      let got = 0, sent = 0; const size = 20e6, chunk = Buffer.alloc(65536, "z");
      s.write("ECHO\\n");
      const more = () => { while (sent < size) { sent += chunk.length; if (!s.write(chunk)) return s.once("drain", more) } };
      s.on("data", (d) => { got += d.length; if (got >= sent && sent >= size) { console.log(got === sent); process.exit(0) } });
      more();`
    const end = await runShell(it.bottle, `exec node -e '${script}'`)
    expect(end.output.trim()).toBe("true")
  })
})

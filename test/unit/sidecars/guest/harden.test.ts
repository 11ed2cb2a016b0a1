import { expect, test } from "bun:test"
import { join } from "node:path"

const harden = join(import.meta.dir, "../../../../sidecars/harden.ts")

test.skipIf(process.platform !== "linux")("a hardened process is not dumpable and leaves no core", async () => {
  const script = `
    const { hardenProcess } = await import(${JSON.stringify(harden)});
    const { readFileSync, statSync } = await import("node:fs");
    const result = hardenProcess();
    const core = readFileSync("/proc/self/limits", "utf8").match(/Max core file size +(\\d+) +(\\d+)/);
    console.log(JSON.stringify({ result, core: core?.slice(1), owner: statSync("/proc/self/mem").uid }));`
  const child = Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "pipe", "inherit"] })
  // What is not dumpable belongs to root in /proc, whoever runs it.
  expect(JSON.parse(await new Response(child.stdout).text())).toEqual({
    result: { ok: true },
    core: ["0", "0"],
    owner: 0,
  })
})

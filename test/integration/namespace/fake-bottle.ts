/**
 * Stands in for the `bottle` binary in these tests: the real guest, and in the sidecars' place one process that
 * answers as egress would answer the fence proof.
 */
const [verb, ...rest] = process.argv.slice(2)

if (verb === "guest") {
  const { runGuest } = await import("../../../sidecars/guest/main.ts")
  await runGuest(rest)
} else if (verb === "sidecar") {
  const { runFakeSidecar } = await import("./fake-sidecar.ts")
  runFakeSidecar(rest)
} else if (verb === "calls") {
  const { reportCalls } = await import("./forbidden-calls.ts")
  reportCalls()
}

export {}

import { parseArgs } from "node:util"

/**
 * `bottle sidecar`: with `--child NAME` one sidecar, with `--relay PATH` a stream to a socket, with `--measure` what
 * trees take (and `--open-trees` makes them readable), else the supervisor of a
 * bottle's sidecars, with `--join` reachable by its stdin and stdout too. Started by a backend in a boundary, never by a person.
 */
export async function runSidecars(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: {
      child: { type: "string" },
      user: { type: "string" },
      relay: { type: "string" },
      join: { type: "boolean" },
      control: { type: "string" },
      sockets: { type: "string" },
      isolate: { type: "string" },
      filter: { type: "string" },
      start: { type: "string", multiple: true, default: ["egress"] },
      config: { type: "string" },
      measure: { type: "boolean" },
      "open-trees": { type: "boolean" },
    },
    allowPositionals: true,
  })
  if (values.user !== undefined) {
    const { becomeUser } = await import("./become-user.ts")
    becomeUser(Number(values.user))
  }
  const { hardenProcess } = await import("./harden.ts")
  const hardened = hardenProcess()
  if (!hardened.ok) throw new Error(`sidecar: this process cannot be made unreadable: ${hardened.reason}`)
  if (values.relay !== undefined) {
    const { runRelay } = await import("./relay.ts")
    return runRelay(values.relay)
  }
  if (values.measure) {
    const { runMeasure } = await import("./measure.ts")
    return runMeasure(positionals)
  }
  if (values["open-trees"]) {
    const { openTrees } = await import("./open-trees.ts")
    return openTrees(positionals)
  }
  if (values.child === "egress") {
    const { runEgressChild } = await import("./egress/child.ts")
    return runEgressChild()
  }
  if (values.child === "supervise") {
    const { runSuperviseChild } = await import("./supervise/child.ts")
    return runSuperviseChild()
  }
  if (values.child !== undefined) throw new Error(`unknown sidecar ${JSON.stringify(values.child)}`)
  if (!values.control || !values.sockets) throw new Error("sidecar: --control and --sockets are required")
  const isolate = values.isolate ?? "bwrap"
  if (isolate !== "bwrap" && isolate !== "uid" && isolate !== "none") {
    throw new Error("sidecar: --isolate takes bwrap, uid or none")
  }
  const { sidecarNames } = await import("./control.ts")
  const sidecars = sidecarNames.filter((name) => values.start.includes(name))
  const { startSupervisor } = await import("./supervisor/supervisor.ts")
  const place = { control: values.control, sockets: values.sockets, isolate, sidecars } as const
  const { config, filter } = values
  await startSupervisor({ ...place, ...(config && { config }), ...(filter && { filter }) })
  if (values.join) await (await import("./relay.ts")).joinOwn(values.control)
}

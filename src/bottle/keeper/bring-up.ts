import type { Duplex } from "node:stream"
import type { SuperviseSettings } from "../../../sidecars/control.ts"
import { inside } from "../../../sidecars/guest/protocol.ts"
import type { Backend, LaunchSpec, Probe, RunningBottle, RuntimeRecord } from "../../backends/backend.ts"
import { BottleError } from "../../lib/errors.ts"
import { hashPolicy } from "../../policy/hash.ts"
import { ControlLink, type ControlLinkEvents, type Hello } from "./control/control-link.ts"
import type { KeeperOrder } from "./protocol.ts"
import { askGuest, readProbes } from "./session/guest-client.ts"

/** Longest wait for the sidecars and for the guest to answer, in ms. A loaded machine takes many seconds, a broken one for ever. */
const patience = 60_000

export interface BringUp {
  bottle: RunningBottle
  link: ControlLink
  probes: Probe[]
  /** The one to the guest on which all this was done: for whoever comes first, since each costs 100 ms on docker (measured). */
  stream: Duplex
}

export interface BringUpDeps {
  backend: Backend
  spec: LaunchSpec
  hostAddresses: () => string[]
  recorded(record: RuntimeRecord): Promise<void>
  step(text: string): void
  control: ControlLinkEvents
  /** Rejects when the launch is called off. */
  cancelled: Promise<never>
}

/**
 * DESIGN §6, steps 3 and 4: both boundaries, policy and secrets to the sidecars, files to the guest, then the fence
 * proof from both sides. Whatever fails, everything started is stopped before the error is thrown; a failed
 * probe is a `BottleError` with code `fence` and the probes as its cause.
 */
export async function bringUp(order: KeeperOrder, deps: BringUpDeps): Promise<BringUp> {
  const { backend, spec, step } = deps
  let bottle: RunningBottle | undefined
  try {
    bottle = await backend.launch(spec, deps.recorded)
    step(`${backend.name}: both boundaries started`)
    const running = bottle
    const died = running.died().then((which) => {
      throw new BottleError(`the ${which} boundary ended during the launch`, {
        code: "launch",
        exit: "failed",
        hint: `bottle logs ${spec.slug} --source bringup`,
      })
    })
    died.catch(() => undefined)
    const work = connectAndProve(order, running, deps)
    work.catch(() => undefined)
    return await Promise.race([work, died, expire(), deps.cancelled])
  } catch (error) {
    await bottle?.stop()
    throw error
  }
}

async function connectAndProve(order: KeeperOrder, bottle: RunningBottle, deps: BringUpDeps): Promise<BringUp> {
  const { spec, step } = deps
  // Before there is anything to say.
  const opening = bottle.connectGuest().then((stream) => stream.on("error", () => stream.destroy()))
  opening.catch(() => undefined)
  const files = async ({ ca }: Hello) => {
    const all = [{ path: inside.ca, mode: 0o644, content: ca }, ...order.memory.files]
    await askGuest(await opening, { op: "files", files: all })
    step(`guest: ${all.length} files in place`)
  }
  const { link, hello } = await ControlLink.open(await bottle.connectControl(), deps.control)
  const configured = configure(link, order).then(() => step("egress: policy and secrets in force"))
  await Promise.all([configured, files(hello)])
  const stream = await opening
  const probes = await prove(bottle, deps.hostAddresses(), stream)
  for (const probe of probes) step(`fence ${probe.side} ${probe.ok ? "ok" : "FAILED"} ${probe.name}: ${probe.detail}`)
  const failed = probes.filter((probe) => !probe.ok)
  if (failed.length > 0) {
    throw new BottleError(`the fence does not hold: ${failed.map((probe) => probe.name).join(", ")}`, {
      code: "fence",
      exit: "failed",
      hint: `nothing was started; see: bottle logs ${spec.slug} --source bringup`,
      cause: probes,
    })
  }
  return { bottle, link, probes, stream }
}

/** Hand over policy, secrets and memory; the acknowledged hash must be that of the policy sent (DESIGN invariant 8). */
async function configure(link: ControlLink, order: KeeperOrder): Promise<void> {
  const hash = await link.send({
    type: "configure",
    slug: order.plan.slug,
    egress: { policy: order.plan.policy, secrets: order.secrets.slots },
    ...askingSettings(order.plan),
    memory: order.memory,
  })
  if (hash !== hashPolicy(order.plan.policy)) throw new Error("egress acknowledged another policy than it was given")
}

/** Seconds that a call of the agent's waits for the operator: half of what its client is configured to wait. */
const superviseWait = 12 * 60 * 60

/** What supervise is told, and what the agent may read of its image, if there is one that can be changed. */
function askingSettings({ sidecars, docker }: KeeperOrder["plan"]): {
  supervise?: SuperviseSettings
  dockerfile?: string
} {
  const dockerfile = docker?.build?.dockerfile ?? (docker?.image === undefined ? undefined : `FROM ${docker.image}\n`)
  const image = dockerfile === undefined ? null : { args: docker?.build?.args ?? {} }
  return {
    ...(dockerfile === undefined ? {} : { dockerfile }),
    ...(sidecars.includes("supervise") ? { supervise: { image, wait: superviseWait } } : {}),
  }
}

/** Both halves of the fence proof (SECURITY 3). */
async function prove(bottle: RunningBottle, hostAddresses: string[], stream: Duplex): Promise<Probe[]> {
  const insideProof = async () => {
    const proxy = "http://127.0.0.1:9099"
    const kernel = bottle.kernel === undefined ? {} : { kernel: bottle.kernel }
    return readProbes(await askGuest(stream, { op: "prove", hostAddresses, proxy, ...kernel }))
  }
  const [fromInside, fromOutside] = await Promise.all([insideProof(), bottle.proveOutside()])
  return [...fromInside, ...fromOutside]
}

function expire(): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new BottleError(`the bottle did not come up within ${patience / 1000} s`, {
          code: "launch-timeout",
          exit: "failed",
          hint: "look at its bring-up log, then at `bottle doctor`",
        }),
      )
    }, patience)
    timer.unref()
  })
}

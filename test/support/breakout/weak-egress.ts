import { readFileSync } from "node:fs"
import { relative, resolve } from "node:path"
import { guards } from "./guards.ts"

/**
 * `bun weak-egress.ts GUARD PORT CA`: the product's egress on a TCP port of this namespace, its source read with one
 * guard taken out. `none` takes nothing out. The slot's value comes in BREAKOUT_TOKEN. There is no switch in the product: the change is made to the text of
 * one file while it is loaded, and a text that is not there is an error.
 */

const [name = "", port = "", caFile = ""] = process.argv.slice(2)
const root = resolve(import.meta.dir, "../../..")
const guard = name === "none" ? undefined : guards[name]
if (guard === undefined && name !== "none") throw new Error(`no such guard: ${name}`)

if (guard !== undefined) {
  Bun.plugin({
    name: "without a guard",
    setup(build) {
      const file = resolve(root, guard.file)
      build.onLoad({ filter: new RegExp(`${relative(root, file).replaceAll(".", "\\.")}$`) }, () => {
        const text = readFileSync(file, "utf8")
        if (text.split(guard.text).length !== 2) throw new Error(`${guard.file} does not hold once: ${guard.text}`)
        return { contents: text.replace(guard.text, guard.instead), loader: "ts" }
      })
    },
  })
}

const { startEgress } = await import("../../../sidecars/egress/main.ts")
const { mintCa } = await import("../../../sidecars/egress/certificates.ts")
const ca = readFileSync(caFile, "utf8")
const auth = { scheme: "Bearer", token_ref: "TOKEN" }
const place = { scheme: "https", port: 443, ca } as const
await startEgress({
  listen: { host: "127.0.0.1", port: Number(port) },
  policy: {
    routes: [
      {
        ...{ ...place, host: "listed.example", auth },
        matches: [{ paths: [{ type: "prefix", value: "/public" }], methods: ["GET", "POST"] }],
      },
      { ...place, host: "keyed.example", auth: { ...auth, scheme: "header:X-Api-Key" } },
      { ...place, host: "ws.example", auth, websocket: true },
      ...["metadata.example", "intranet.example", "loopback.example"].map((host) => ({ ...place, host })),
    ],
    allowlist: ["open.example"],
    log: 0,
    supervise: false,
  },
  secrets: { TOKEN: process.env.BREAKOUT_TOKEN ?? "" },
  ca: mintCa("weak"),
  emit: () => undefined,
})
console.log("ready")

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, copyFileSync, linkSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { makeAuthority } from "../support/model/pki.ts"
import { makePlace, type Place, whos } from "../support/place.ts"
import { nodeWithProxy, requirePart } from "../support/require.ts"
import { type PackageHost, startPackageHost } from "../support/upstream/package-host.ts"

const here = requirePart("binary") && requirePart("bwrap")

const python = "import urllib.request as u; print(u.urlopen('https://tools.example/hello').read().decode())"
const node = "fetch('https://tools.example/hello').then((r) => r.text()).then(console.log)"

/** Each tool makes one permitted request with nothing configured but what every bottle has (BEHAVIOUR 6). */
const tools: { part: string; script: string; expected: string }[] = [
  { part: "curl", script: "curl -sS https://tools.example/hello", expected: "hello from upstream" },
  { part: "wget", script: "wget -qO- https://tools.example/hello", expected: "hello from upstream" },
  {
    part: "git",
    script: "git clone -q https://tools.example/repo.git r && cat r/file",
    expected: "content of the repository",
  },
  { part: "node24", script: `/opt/node/node -e "${node}"`, expected: "hello from upstream" },
  { part: "npm", script: "npm view --registry https://tools.example/npm/ pkg version", expected: "1.2.3" },
  { part: "python3", script: `python3 -c "${python}"`, expected: "hello from upstream" },
  {
    part: "pip",
    script: "pip3 download -q --no-deps --index-url https://tools.example/simple/ --dest d demo-pkg && ls d",
    expected: "demo_pkg-1.0-py3-none-any.whl",
  },
]

for (const who of here ? whos : []) {
  describe(`in a command bottle, as ${who}`, () => {
    const place = makePlace(who)
    let host: PackageHost
    beforeAll(async () => {
      const authority = makeAuthority(join(place.dir, "pki"))
      chmodSync(join(place.dir, "pki"), 0o755)
      host = await startPackageHost(place.dir, authority.issue("tools.example"))
      const nodeDir = putNode(place)
      place.writeBottle(
        "tools",
        `agent_provider: {template: command}
${nodeDir === undefined ? "" : `namespace: {binds: [{source: ${nodeDir}, target: /opt/node}]}`}
egress:
  routes:
    - {host: tools.example, connect_to: "127.0.0.1:${host.port}", ca: ${authority.certFile}, allow_private: true}`,
      )
    })
    afterAll(() => host.close())

    for (const { part, script, expected } of tools) {
      test.skipIf(!requirePart(part))(
        `${part} makes a permitted request`,
        async () => {
          const argv = ["start", "--headless", "--discard", "--bottle", "tools", "--", "sh", "-c", script]
          const result = await place.bottle(argv)
          expect(result.stdout, result.stderr).toContain(expected)
          expect(result.code).toBe(0)
        },
        300_000,
      )
    }
  })
}

/** Node reads the proxy variables from 24 on; the one that the tests pin is shown to the bottle. */
function putNode(place: Place): string | undefined {
  const from = nodeWithProxy()
  if (from === undefined) return undefined
  const dir = join(place.dir, "node")
  mkdirSync(dir)
  try {
    linkSync(from, join(dir, "node"))
  } catch {
    copyFileSync(from, join(dir, "node"))
  }
  chmodSync(join(dir, "node"), 0o755)
  return dir
}

import { describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { type Endpoint, parseHost } from "../../../../src/backends/docker/endpoint.ts"
import { findEndpoint } from "../../../../src/backends/docker/reach/find-endpoint.ts"
import { parseEndpoint, recordEndpoint } from "../../../../src/backends/docker/reach/recorded-endpoint.ts"
import { sshArgv } from "../../../../src/backends/docker/reach/ssh-stream.ts"

const id = createHash("sha256").update("far").digest("hex")
const missing = () => Object.assign(new Error("no such file"), { code: "ENOENT" })
const files = (table: Record<string, unknown>) => (path: string) => {
  if (table[path] === undefined) throw missing()
  return typeof table[path] === "string" ? table[path] : JSON.stringify(table[path])
}
const config = "/h/.docker/config.json"
const meta = `/h/.docker/contexts/meta/${id}/meta.json`
const tls = `/h/.docker/contexts/tls/${id}/docker`
const contexts = (Host: unknown, more: object = {}) => ({
  [config]: { currentContext: "far" },
  [meta]: { Name: "far", Endpoints: { docker: { Host, ...more } } },
})

describe("the engine", () => {
  test("is the system's when nothing else is said", () => {
    expect(findEndpoint({ HOME: "/h" }, files({}))).toEqual({
      kind: "unix",
      path: "/var/run/docker.sock",
      from: "the default",
    })
  })

  test("is the one of DOCKER_HOST before any context", () => {
    const env = { HOME: "/h", DOCKER_HOST: "unix:///x/s" }
    expect(findEndpoint(env, files(contexts("tcp://far:1")))).toMatchObject({ path: "/x/s", from: "DOCKER_HOST" })
  })

  test("is the current context's, or that of DOCKER_CONTEXT", () => {
    const read = files(contexts("tcp://far:2375"))
    const far = { kind: "tcp", host: "far", port: 2375, tls: undefined, from: "the context far" } as const
    expect(findEndpoint({ HOME: "/h" }, read)).toEqual(far)
    expect(findEndpoint({ HOME: "/h", DOCKER_CONTEXT: "default" }, read)).toMatchObject({ kind: "unix" })
    expect(() => findEndpoint({ HOME: "/h", DOCKER_CONTEXT: "none" }, read)).toThrow('no docker context "none"')
  })

  test("is spoken to over TLS when it is asked for, or when the context has certificates", () => {
    const env = { HOME: "/h", DOCKER_HOST: "tcp://[::1]", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/c" }
    const own = findEndpoint(env, files({ "/c/ca.pem": "pem" }))
    expect(own).toMatchObject({ host: "::1", port: 2376, tls: { ca: "/c/ca.pem", cert: undefined } })
    // Asked for and nothing to go by: this machine's authorities, never no TLS.
    expect(findEndpoint(env, files({}))).toMatchObject({ port: 2376, tls: { ca: undefined } })
    const read = files({ ...contexts("tcp://far:9"), [`${tls}/cert.pem`]: "pem", [`${tls}/key.pem`]: "pem" })
    expect(findEndpoint({ HOME: "/h" }, read)).toMatchObject({ port: 9, tls: { key: `${tls}/key.pem` } })
  })

  test("is reached by ssh, with user, port and the socket's path there", () => {
    expect(parseHost("ssh://me@box.example:2222/run/user/1000/docker.sock", undefined, "x")).toEqual({
      ...{ kind: "ssh", host: "box.example", user: "me", port: 2222, from: "x" },
      path: "/run/user/1000/docker.sock",
    })
    expect(parseHost("ssh://box", undefined, "x")).toMatchObject({ user: undefined, port: undefined, path: undefined })
    expect(parseHost("ssh://[fe80::1%eth0]", undefined, "x")).toMatchObject({ host: "fe80::1%eth0" })
  })

  test.each([
    "npipe:////./pipe/x",
    "fd://",
    "tcp://",
    "tcp://h:0",
    "tcp://h:70000",
    "tcp://a b",
    "tcp://h/path",
    "unix://",
    "unix://relative",
    "unix:///with\u0000nul",
    "unix:///with\nline",
    "/var/run/docker.sock",
    "ssh://",
    "ssh://-oProxyCommand=id",
    "ssh://me@-oProxyCommand=id",
    "ssh://-lroot@host",
    "ssh://me:password@host",
    "ssh://host/$(id)",
    "ssh://host/a;id",
    "ssh://host/-H",
    "ssh://host name",
    "ssh://host:22:22",
    "ssh://ho`id`st",
    "ssh://me@evil@host",
    "x".repeat(100_000),
  ])("is refused at %p", (host) => {
    const read = files(contexts(host))
    expect(() => findEndpoint({ HOME: "/h", DOCKER_HOST: host }, files({}))).toThrow(/^DOCKER_HOST: .{1,400}$/)
    expect(() => findEndpoint({ HOME: "/h" }, read)).toThrow(/^the context far: .{1,400}$/)
  })

  test("never shows the password of an address", () => {
    expect(() => parseHost("ssh://me:hunter2@host", undefined, "x")).toThrow(/^(?!.*hunter2)/)
  })

  const damages: [string, Record<string, unknown>, string][] = [
    ["a config that is no JSON", { [config]: "{" }, "not a JSON object"],
    ["a config that is a list", { [config]: [] }, "not a JSON object"],
    ["a context that is no name", { [config]: { currentContext: { a: 1 } } }, "currentContext is no name"],
    ["a context that is a path", { [config]: { currentContext: "../../etc" } }, "no name of a docker context"],
    ["a context that is not there", { [config]: { currentContext: "far" } }, 'no docker context "far"'],
    ["a context without endpoints", { ...contexts(""), [meta]: { Endpoints: null } }, "names no engine"],
    ["an endpoint of another kind", contexts(["unix:///x"]), "names no engine"],
    ["inherited names only", { ...contexts(""), [meta]: '{"__proto__": {"Endpoints": 1}}' }, "names no engine"],
    ["checks turned off", contexts("tcp://far:1", { SkipTLSVerify: true }), "does not check who the engine is"],
    ["half a certificate", { ...contexts("tcp://far:1"), [`${tls}/cert.pem`]: "pem" }, "go together"],
  ]
  test.each(damages)("is an error, and no other engine, with %s", (_name, table, message) => {
    expect(() => findEndpoint({ HOME: "/h" }, files(table))).toThrow(message)
  })

  test("is an error when a file cannot be read", () => {
    const closed = () => {
      throw Object.assign(new Error("no"), { code: "EACCES" })
    }
    expect(() => findEndpoint({ HOME: "/h" }, closed)).toThrow("cannot be read (EACCES)")
  })

  const endpoints: Endpoint[] = [
    parseHost("unix:///a b/s", undefined, "x"),
    parseHost("tcp://[::1]:7", { ca: "/c/ca.pem", cert: undefined, key: undefined }, "x"),
    parseHost("tcp://h", { ca: undefined, cert: undefined, key: undefined }, "x"),
    parseHost("tcp://h", undefined, "x"),
    parseHost("ssh://me@[::1]:2/run/s", undefined, "x"),
  ]
  test.each(endpoints)("is the same after it was recorded: %p", (endpoint) => {
    expect(parseEndpoint(JSON.parse(JSON.stringify(recordEndpoint(endpoint))))).toEqual(endpoint)
  })

  test.each([
    undefined,
    null,
    7,
    {},
    { host: "ssh://-x", from: "x" },
    { host: "unix:///s" },
    { host: "tcp://h", from: "x", tls: { ca: "relative" } },
    { host: "tcp://h", from: "x", tls: 1 },
  ])("is not read from a damaged record: %p", (value) => expect(parseEndpoint(value)).toBeUndefined())
})

test("the words for ssh end its options before the address, and ask nothing", () => {
  const endpoint = parseHost("ssh://me@box:2222/run/d.sock", undefined, "x")
  if (endpoint.kind !== "ssh") throw new Error("not ssh")
  const argv = sshArgv(endpoint)
  expect(argv).toContain("BatchMode=yes")
  expect(argv.slice(argv.indexOf("-l"))).toEqual([
    "-l",
    "me",
    "-p",
    "2222",
    "--",
    "box",
    "docker",
    "--host",
    "unix:///run/d.sock",
    "system",
    "dial-stdio",
  ])
})

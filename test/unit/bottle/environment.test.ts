import { expect, test } from "bun:test"
import { fenceEnvironment, insideEnvironment } from "../../../src/bottle/environment.ts"

const want = { home: "/home/node", user: "node", path: ["/opt/x"], git: {}, provider: {}, bottle: {} }

test("every tool is told of the proxy in both cases and of the bottle's CA", () => {
  const env = insideEnvironment(want)
  for (const name of ["HTTP_PROXY", "https_proxy", "ALL_PROXY"]) expect(env[name]).toBe("http://127.0.0.1:9099")
  for (const name of ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE"]) {
    expect(env[name]).toBe("/run/bottle/ca.crt")
  }
  expect(env.NO_PROXY).toContain("127.0.0.1")
  expect(env.PATH).toBe("/opt/x:/usr/local/bin:/usr/bin:/bin")
})

test("the operator's values override the provider's, and neither overrides the fence's", () => {
  const env = insideEnvironment({
    ...want,
    provider: { A: "1", B: "1" },
    bottle: { B: "2", HTTPS_PROXY: "http://evil" },
  })
  expect([env.A, env.B, env.HTTPS_PROXY]).toEqual(["1", "2", "http://127.0.0.1:9099"])
})

test("nothing of this process' environment passes", () => {
  const env = insideEnvironment(want)
  const own = ["HOME", "USER", "LOGNAME", "SHELL", "LANG", "PATH"]
  expect(Object.keys(env).sort()).toEqual([...own, ...Object.keys(fenceEnvironment())].sort())
})

test("a git identity is given for author and committer", () => {
  const env = insideEnvironment({ ...want, git: { name: "N", email: "e@x" } })
  expect([env.GIT_AUTHOR_NAME, env.GIT_COMMITTER_EMAIL]).toEqual(["N", "e@x"])
})

import { describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { dueAt, freshLogin, type LoginDeps } from "../../../src/bottle/login/fresh-login.ts"
import { loginFile } from "../../../src/bottle/login/login-file.ts"
import { postToken } from "../../../src/bottle/login/post-token.ts"
import { claudeLogin } from "../../../src/providers/claude/host-login.ts"
import { codexLogin } from "../../../src/providers/codex/host-login.ts"
import { tempDir } from "../../support/temp.ts"

const root = tempDir("login")
const now = Date.parse("2026-11-21T12:00:00Z")
let count = 0

const jwt = (from: number, until: number, mark = "") =>
  [{ alg: "RS256" }, { iat: from / 1000, exp: until / 1000, mark }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .concat("signature")
    .join(".")
const codexText = (token: string, refresh = "refresh-1-abcdefgh") =>
  JSON.stringify({
    auth_mode: "chatgpt",
    other: { kept: true },
    tokens: { id_token: token, access_token: token, refresh_token: refresh, account_id: "account-1234" },
    last_refresh: "2026-01-01T00:00:00Z",
  })

/** A login file with this text, and a way to hold and renew it. */
function furnish(text: string, name = "auth.json") {
  const dir = join(root, String(count++))
  mkdirSync(join(dir, "locks"), { recursive: true })
  const path = join(dir, name)
  writeFileSync(path, text, { mode: 0o600 })
  return { dir, path, file: () => loginFile(path, join(dir, "locks")) }
}

function world(post: LoginDeps["post"]): LoginDeps & { posts: unknown[] } {
  const posts: unknown[] = []
  return {
    posts,
    now: () => now,
    sleep: () => Bun.sleep(1),
    post: (url, body) => {
      posts.push([url, body])
      return post(url, body)
    },
  }
}

const hour = 3_600_000
const fresh = jwt(now, now + hour, "new")
const answer = async () =>
  ({ kind: "answer", value: { access_token: fresh, refresh_token: "refresh-2-abcdefgh", id_token: fresh } }) as const

describe("the host's login", () => {
  test("is left alone while it is good, and renewed five minutes or a third of its life before its end", async () => {
    expect(dueAt({ token: "t", way: "subscription", expires: now, lifetime: 10 * hour })).toBe(now - 300_000)
    expect(dueAt({ token: "t", way: "subscription", expires: now, lifetime: 15_000 })).toBe(now - 5_000)
    expect(dueAt({ token: "t", way: "api-key" })).toBeUndefined()
    const { file } = furnish(codexText(jwt(now - hour, now + 301_000)))
    const deps = world(answer)
    expect((await freshLogin(codexLogin, file(), deps)).kind).toBe("fresh")
    expect(deps.posts).toEqual([])
  })

  test("is renewed once by however many want it, and everyone gets the new token", async () => {
    const { path, file } = furnish(codexText(jwt(now - hour, now + 1000)))
    const deps = world(async () => {
      await Bun.sleep(30)
      return answer()
    })
    const all = await Promise.all(Array.from({ length: 8 }, () => freshLogin(codexLogin, file(), deps)))
    for (const state of all)
      expect(state).toMatchObject({ kind: "fresh", login: { token: fresh, account: "account-1234" } })
    const body = { client_id: "app_EMoamEEZ73f0CkXaXp7hrann", grant_type: "refresh_token" }
    expect(deps.posts).toEqual([
      ["https://auth.openai.com/oauth/token", { ...body, refresh_token: "refresh-1-abcdefgh" }],
    ])
    const written = JSON.parse(readFileSync(path, "utf8"))
    expect(written).toMatchObject({
      auth_mode: "chatgpt",
      other: { kept: true },
      last_refresh: "2026-11-21T12:00:00.000Z",
    })
    expect(written.tokens).toEqual({
      ...{ id_token: fresh, access_token: fresh, refresh_token: "refresh-2-abcdefgh", account_id: "account-1234" },
    })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test("that the operator changes meanwhile is never overwritten", async () => {
    const { path, file } = furnish(codexText(jwt(now - hour, now)))
    const theirs = codexText(jwt(now, now + hour, "theirs"), "refresh-theirs-abc")
    const deps = world(async () => {
      writeFileSync(path, theirs)
      return answer()
    })
    expect((await freshLogin(codexLogin, file(), deps)).kind).toBe("fresh")
    expect(readFileSync(path, "utf8")).toBe(theirs)
  })

  test("that is a link is changed where it lies", async () => {
    const real = furnish(codexText(jwt(now - hour, now)), "real.json")
    const link = join(real.dir, "auth.json")
    symlinkSync("real.json", link)
    expect((await freshLogin(codexLogin, loginFile(link, join(real.dir, "locks")), world(answer))).kind).toBe("fresh")
    expect(readFileSync(real.path, "utf8")).toContain("refresh-2")
    expect(readdirSync(real.dir).filter((name) => name.endsWith(".tmp"))).toEqual([])
  })

  test("is not asked for where the answer could not be kept: the old refresh token would be gone", async () => {
    const { dir, file } = furnish(codexText(jwt(now - hour, now)))
    const opened = file()
    const full = { ...opened, reserve: () => ({ kind: "no" as const, why: "no space" }) }
    const deps = world(answer)
    expect(await freshLogin(codexLogin, full, deps)).toMatchObject({ kind: "stale", why: "no space" })
    rmSync(join(dir, "auth.json"))
    expect(opened.reserve("x").kind).toBe("room")
    expect(loginFile(join(dir, "none", "auth.json"), dir).reserve("x")).toMatchObject({ kind: "no" })
    expect(deps.posts).toEqual([])
  })

  test("says why it is stale, refused or not there, and leaves nothing beside the file", async () => {
    const { dir, path, file } = furnish(codexText(jwt(now - hour, now)))
    const states = []
    for (const kind of ["refused", "unreachable"] as const) {
      states.push(
        (
          await freshLogin(
            codexLogin,
            file(),
            world(async () => ({ kind, why: kind })),
          )
        ).kind,
      )
    }
    const odd = world(async () => ({ kind: "answer", value: { access_token: "with\nnewline" } }))
    states.push((await freshLogin(codexLogin, file(), odd)).kind)
    expect(readdirSync(dir).sort()).toEqual(["auth.json", "locks"])
    for (const text of ["", "[]", "{}", '{"tokens": {"access_token": 7}}', "{"]) {
      writeFileSync(path, text)
      states.push((await freshLogin(codexLogin, file(), world(answer))).kind)
    }
    expect(states).toEqual(["refused", "stale", "stale", ...Array(5).fill("none")])
  })

  test("of an API key never ends", async () => {
    const { file } = furnish('{"OPENAI_API_KEY": "sk-proj-0123456789"}')
    const state = await freshLogin(codexLogin, file(), world(answer))
    expect(state).toEqual({ kind: "fresh", login: { token: "sk-proj-0123456789", way: "api-key" } })
  })

  test("of Claude Code is renewed under the CLI's own lock", async () => {
    const oauth = { accessToken: "sk-ant-oat01-old", refreshToken: "sk-ant-ort01-old", scopes: ["user:inference"] }
    const text = JSON.stringify({ claudeAiOauth: { ...oauth, expiresAt: now, subscriptionType: "max" }, mcpOAuth: {} })
    const { dir, path, file } = furnish(text, ".credentials.json")
    const lock = join(dir, ".oauth_refresh.lock")
    mkdirSync(lock)
    const deps = world(async () => {
      expect(statSync(lock).isDirectory()).toBe(true)
      return {
        kind: "answer",
        value: { access_token: "sk-ant-oat01-new", refresh_token: "sk-ant-ort01-new", expires_in: 28_800 },
      }
    })
    const renewing = freshLogin(claudeLogin, file(), deps)
    await Bun.sleep(20)
    expect(deps.posts).toEqual([])
    rmSync(lock, { recursive: true })
    expect(await renewing).toMatchObject({
      kind: "fresh",
      login: { token: "sk-ant-oat01-new", expires: now + 8 * hour },
    })
    expect(deps.posts).toEqual([
      [
        "https://platform.claude.com/v1/oauth/token",
        {
          grant_type: "refresh_token",
          refresh_token: "sk-ant-ort01-old",
          client_id: "9d1c250a-e61b-44d9-88ed-5944d1962f5e",
          scope: "user:inference",
        },
      ],
    ])
    const written = JSON.parse(readFileSync(path, "utf8"))
    expect(written.claudeAiOauth).toMatchObject({ refreshToken: "sk-ant-ort01-new", subscriptionType: "max" })
    expect(written.mcpOAuth).toEqual({})
    expect(readdirSync(dir).sort()).toEqual([".credentials.json", "locks"])
  })

  test("is looked for where the CLI looks", () => {
    expect(codexLogin.file({}, "/home/me")).toBe("/home/me/.codex/auth.json")
    expect(codexLogin.file({ CODEX_HOME: "/elsewhere" }, "/home/me")).toBe("/elsewhere/auth.json")
    expect(claudeLogin.file({ CLAUDE_CONFIG_DIR: "/conf" }, "/home/me")).toBe("/conf/.credentials.json")
  })
})

describe("a token endpoint", () => {
  test("that cannot prove who it is gets no answer used, and no token is in what is said", async () => {
    const { makeAuthority } = await import("../../support/model/pki.ts")
    const tls = makeAuthority(join(root, "pki")).issue("127.0.0.1")
    let asked = 0
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls, fetch: () => Response.json({ asked: ++asked }) })
    const said = await postToken(`https://127.0.0.1:${server.port}/oauth/token`, { refresh_token: "SECRET-abcdefgh" })
    server.stop(true)
    expect(said).toMatchObject({ kind: "unreachable" })
    expect(asked).toBe(0)
    expect(JSON.stringify(said)).not.toContain("SECRET")
  })

  test("is told apart by what it answers, and only one plain word of that is repeated", async () => {
    const answers = [
      [400, '{"error": {"code": "refresh_token_expired"}}'],
      [401, '{"error": "invalid_grant"}'],
      [400, '{"error": "\\u001b[31mSECRET-abcdefgh"}'],
      [500, "SECRET-abcdefgh"],
      [200, "SECRET not JSON"],
      [302, ""],
    ] as const
    let at = 0
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () =>
        new Response(answers[at]?.[1], { status: answers[at]?.[0] ?? 500, headers: { location: "/elsewhere" } }),
    })
    const said: string[] = []
    for (; at < answers.length; at += 1) {
      const { kind, ...rest } = await postToken(`http://127.0.0.1:${server.port}/oauth/token`, {})
      said.push(`${kind} ${"why" in rest ? rest.why.replace(/127\S+/, "it") : ""}`)
    }
    server.stop(true)
    expect(said.slice(0, 4)).toEqual([
      "refused it answered 400 (refresh_token_expired)",
      "refused it answered 401 (invalid_grant)",
      "refused it answered 400",
      "unreachable it answered 500",
    ])
    expect(said[4]).toMatch(/^unreachable it could not be asked/)
    expect(said[5]).toMatch(/^unreachable it could not be asked/)
    expect(said.join()).not.toContain("SECRET")
  })
})

test("a file that is not the operator's to read is no login", () => {
  const { path, file } = furnish("{}")
  if (process.getuid?.() !== 0) chmodSync(path, 0)
  else rmSync(path)
  expect(file().read()).toBeUndefined()
})

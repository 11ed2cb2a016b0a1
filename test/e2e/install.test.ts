import { describe, expect, test } from "bun:test"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { basicEnv, root, run } from "../support/command.ts"
import { requirePart } from "../support/require.ts"
import { tempDir } from "../support/temp.ts"

const dir = tempDir("install")
const script = join(root, "install.sh")
const slow = 120_000

/** A PATH with what the installer needs and no more, so that a machine can be pretended. */
function pretendPath(name: string, stubs: Record<string, string>): string {
  const path = join(dir, name)
  mkdirSync(path)
  const tools = [
    "sh",
    "env",
    "dirname",
    "basename",
    "mkdir",
    "cp",
    "chmod",
    "mv",
    "rm",
    "find",
    "uname",
    "sed",
    "mktemp",
    "grep",
    "head",
    "cut",
    "node",
    "npm",
  ]
  // A stub is never written where a link leads out: it would replace the machine's own program.
  for (const tool of tools.filter((name) => !(name in stubs))) symlinkSync(Bun.which(tool)!, join(path, tool))
  for (const [stub, body] of Object.entries(stubs)) {
    writeFileSync(join(path, stub), `#!/bin/sh\n${body}\n`, { flag: "wx" })
    chmodSync(join(path, stub), 0o755)
  }
  return path
}

function install(args: string[], env: Record<string, string>) {
  const home = join(dir, "some-home")
  mkdirSync(home, { recursive: true })
  return run(["sh", script, ...args], { env: basicEnv({ HOME: home, ...env }), timeout: slow, cwd: dir })
}

describe("install.sh", () => {
  test(
    "installs bottle, hints at PATH, and can be run again",
    async () => {
      const home = join(dir, "home")
      const bin = join(home, "bin")
      mkdirSync(home)
      for (const round of [1, 2]) {
        const { code, stdout, stderr } = await install([], { HOME: home, BOTTLE_INSTALL_DIR: bin, SHELL: "/bin/bash" })
        expect({ round, code, stdout }).toEqual({ round, code: 0, stdout: "" })
        expect(stderr).toContain(`${bin} is not on your PATH`)
        expect(stderr).toContain("~/.bashrc")
        expect(stderr).toEndWith("next: bottle demo; in tmux: bottle tmux install\n")
        expect(readdirSync(bin)).toEqual(["bottle"])
      }
      expect((await run([join(bin, "bottle"), "--version"])).stdout).toStartWith("bottle ")
      expect(statSync(join(bin, "bottle")).mode & 0o777).toBe(0o755)
      // No start-up file was written.
      const made = readdirSync(home).filter((name) => ![".npm", ".bun", ".cache"].includes(name))
      expect(made.sort()).toEqual([".config", ".local", "bin"])
      const bash = join(home, ".local/share/bash-completion/completions/bottle")
      expect(readFileSync(bash, "utf8")).toContain("complete -F _bottle bottle")
      expect(readFileSync(join(home, ".config/fish/completions/bottle.fish"), "utf8")).toContain("complete -c bottle")
      expect(readFileSync(join(home, ".local/share/man/man1/bottle.1"), "utf8")).toStartWith(".TH BOTTLE 1")
    },
    slow,
  )

  test(
    "says nothing about PATH where the directory is on it",
    async () => {
      const bin = join(dir, "on-path")
      const { stderr } = await install([], { BOTTLE_INSTALL_DIR: bin, PATH: `${bin}:${process.env.PATH}` })
      expect(stderr).not.toContain("PATH")
    },
    slow,
  )

  test(
    "names the exact command for missing packages to an ordinary user, and runs nothing",
    async () => {
      const ran = join(dir, "ran-apt")
      const PATH = pretendPath("user", { "apt-get": `touch ${ran}`, id: "echo 1000" })
      const { code, stderr } = await install([], { PATH, BOTTLE_INSTALL_DIR: join(dir, "bin-user") })
      expect(code).toBe(0)
      const packages = process.platform === "linux" ? "bubblewrap tmux" : "tmux"
      expect(stderr).toMatch(new RegExp(`sudo sh -c 'apt-get update -q && .*apt-get install .* ${packages}'`))
      expect(existsSync(ran)).toBe(false)
    },
    slow,
  )

  test.each([
    ["apt-get", "update -q\ninstall -q -y --no-install-recommends bubblewrap tmux\n"],
    ["dnf", "install -y bubblewrap tmux\n"],
    ["pacman", "-S --needed --noconfirm bubblewrap tmux\n"],
    ["apk", "add bubblewrap tmux\n"],
    ["zypper", "--non-interactive install bubblewrap tmux\n"],
  ])(
    "as root installs missing packages with %s",
    async (manager, calls) => {
      const log = join(dir, `calls-${manager}`)
      const PATH = pretendPath(`root-${manager}`, {
        [manager]: `echo "$@" >> ${log}`,
        id: "echo 0",
        uname: "echo Linux",
      })
      const { code } = await install([], { PATH, BOTTLE_INSTALL_DIR: join(dir, `bin-${manager}`) })
      expect({ code, calls: readFileSync(log, "utf8") }).toEqual({ code: 0, calls })
    },
    slow,
  )

  test("refuses an unknown argument before it does anything", async () => {
    const bin = join(dir, "bin-unknown")
    const { code, stderr } = await install(["--dmeo"], { BOTTLE_INSTALL_DIR: bin })
    expect(code).toBe(2)
    expect(stderr).toContain("unknown argument: --dmeo")
    expect(existsSync(bin)).toBe(false)
  })

  test.skipIf(!requirePart("bwrap"))(
    "--demo ends with the demo",
    async () => {
      const home = join(dir, "home-demo")
      mkdirSync(home)
      const { code, stdout } = await install(["--demo"], { HOME: home, BOTTLE_INSTALL_DIR: join(dir, "bin-demo") })
      expect(code).toBe(0)
      expect(stdout).toContain("bottle demo")
    },
    slow,
  )

  test.skipIf(!requirePart("shellcheck"))("has nothing that shellcheck would change", async () => {
    expect(await run(["shellcheck", script, join(root, ".ci", "run")])).toEqual({ code: 0, stdout: "", stderr: "" })
  })
})

describe.skipIf(!requirePart("curl") || !requirePart("binary"))("a release", () => {
  const version = "9.8.7"
  const name = `bottle-${process.platform}-${process.arch}`
  const program = (says: string) => `#!/bin/sh\ncase $1 in --version) echo "bottle ${says}" ;; *) echo "$@" ;; esac\n`
  const sum = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex")

  /** Install from a server on loopback that serves these files of the release; what was installed and said. */
  async function from(files: Record<string, string>, more: Record<string, string> = {}) {
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        const file = files[new URL(request.url).pathname.replace(`/r/v${version}/`, "")]
        return file === undefined ? new Response("no", { status: 404 }) : new Response(file)
      },
    })
    const home = join(dir, `release-${Object.keys(more).join()}${sum(JSON.stringify(files)).slice(0, 8)}`)
    mkdirSync(home, { recursive: true })
    const env = { HOME: home, BOTTLE_VERSION: version, BOTTLE_RELEASES: `http://127.0.0.1:${server.port}/r/`, ...more }
    const result = await install([], env)
    const path = join(home, ".local/bin/bottle")
    return { ...result, path, home, installed: existsSync(path) }
  }

  test("whose sum matches is installed, and installed over an older one says so", async () => {
    const good = program(version)
    const files = { SHA256SUMS: `${"0".repeat(64)}  other\n${sum(good)}  ${name}\n`, [name]: good }
    const first = await from(files)
    expect(first.stderr).toContain(`installed bottle ${version}`)
    expect(first.code).toBe(0)
    expect(readFileSync(first.path, "utf8")).toBe(good)
    writeFileSync(first.path, program("9.0.0"))
    const second = await from(files)
    expect(second.stderr).toContain(`upgraded bottle 9.0.0 to ${version}`)
    expect(readFileSync(first.path, "utf8")).toBe(good)
  })

  const good = program(version)
  test.each([
    ["whose sum is another", { SHA256SUMS: `${"0".repeat(64)}  ${name}\n`, [name]: good }, {}, "has the checksum"],
    ["without sums", { [name]: good }, {}, "SHA256SUMS cannot be had"],
    ["whose sums leave it out", { SHA256SUMS: `${sum(good)}  x${name}\n`, [name]: good }, {}, "has no sum for"],
    ["that is not there", { SHA256SUMS: `${sum(good)}  ${name}\n` }, {}, "cannot be had"],
    [
      "that is another version than its name says",
      { SHA256SUMS: `${sum(program("1.0.0"))}  ${name}\n`, [name]: program("1.0.0") },
      {},
      "says that it is bottle 1.0.0",
    ],
    ["named by a path", {}, { BOTTLE_VERSION: "../../x" }, "is no version"],
    ["over plain http from elsewhere", {}, { BOTTLE_RELEASES: "http://192.0.2.1/r" }, "not an https address"],
  ])("%s is not installed", async (_, files, more, message) => {
    const { code, stderr, installed } = await from(files as Record<string, string>, more as Record<string, string>)
    expect(stderr).toContain(message)
    expect(code).not.toBe(0)
    expect(installed).toBe(false)
  })

  test("--uninstall removes what was installed and nothing of the operator's", async () => {
    const files = { SHA256SUMS: `${sum(good)}  ${name}\n`, [name]: good }
    const { home, path } = await from(files, { XDG_DATA_HOME: join(dir, "data") })
    const kept = join(home, ".bot-bottle/agents/mine.md")
    mkdirSync(join(home, ".bot-bottle/agents"), { recursive: true })
    writeFileSync(kept, "mine")
    writeFileSync(join(home, ".tmux.conf"), "# >>> bottle >>>\nx\n# <<< bottle <<<\n")
    const env = { HOME: home, XDG_DATA_HOME: join(dir, "data") }
    const { code, stderr } = await install(["--uninstall"], env)
    expect(code).toBe(0)
    expect(stderr).toContain(`removed ${path}`)
    expect(stderr).toContain(".tmux.conf still loads bottle")
    expect(existsSync(path)).toBe(false)
    expect(existsSync(join(home, ".config/fish/completions/bottle.fish"))).toBe(false)
    expect(readFileSync(kept, "utf8")).toBe("mine")
  })
})

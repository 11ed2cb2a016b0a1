import { readInstructions } from "./lines.ts"
import { canonicalReference } from "./reference.ts"
import type { BadDockerfile, DockerCopy, DockerInstruction, DockerStage, ParsedDockerfile, StageBase } from "./types.ts"

/** What an engine fetches by itself. */
const remotePattern = /:\/\/|^git@|^github\.com\//i
/** Flags of COPY and ADD that say nothing of where files come from. */
const plainFlags = new Set(["chown", "chmod"])

class Refusal extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/**
 * Read a Dockerfile strictly. `args` are the build arguments that it will be built with; they win over the defaults of
 * the ARGs before the first FROM. Every image that the build can touch is in `stages` and `copies`: whatever could name
 * one in another way (heredocs, parser directives, flags of RUN, ONBUILD, variables in odd places) is refused.
 */
export function parseDockerfile(
  text: string,
  args: Readonly<Record<string, string>> = {},
): ParsedDockerfile | BadDockerfile {
  const read = readInstructions(text)
  if (read.kind === "bad") return read
  try {
    return new Reader(args).read(read.instructions)
  } catch (error) {
    if (error instanceof Refusal) return { kind: "bad", line: error.line, message: error.message }
    throw error
  }
}

class Reader {
  private readonly given: Readonly<Record<string, string>>
  private readonly globals = new Map<string, string | undefined>()
  private readonly stages: DockerStage[] = []
  private readonly copies: DockerCopy[] = []

  constructor(given: Readonly<Record<string, string>>) {
    this.given = given
  }

  read(instructions: readonly DockerInstruction[]): ParsedDockerfile {
    for (const one of instructions) this.take(one)
    if (this.stages.length === 0) throw new Refusal(1, "it has no FROM")
    return { kind: "ok", instructions, stages: this.stages, copies: this.copies }
  }

  private take(one: DockerInstruction): void {
    if (one.name === "FROM") {
      this.stages.push(this.readFrom(one))
      return
    }
    if (this.stages.length === 0) {
      if (one.name !== "ARG") throw new Refusal(one.line, `${one.name} stands before the first FROM`)
      this.readGlobal(one)
      return
    }
    if (one.name === "RUN") refuseRun(one)
    if (one.name === "ADD" || one.name === "COPY") this.copies.push(this.readCopy(one, one.name))
  }

  private readGlobal({ line, text }: DockerInstruction): void {
    const [, name, value] = /^([A-Za-z_]\w*)(?:=([\w.:/@-]*))?$/.exec(text) ?? []
    if (name === undefined) throw new Refusal(line, "an ARG before FROM is one NAME=value, without quotes or variables")
    if (this.globals.has(name)) throw new Refusal(line, `ARG ${name} stands here twice`)
    this.globals.set(name, Object.hasOwn(this.given, name) ? this.given[name] : value)
  }

  private readFrom({ line, text }: DockerInstruction): DockerStage {
    const words = text.split(/[ \t]+/)
    const [image = "", as, name] = words
    if (image.startsWith("-")) throw new Refusal(line, "flags of FROM are not taken")
    const named = words.length === 3 && as?.toUpperCase() === "AS"
    if (words.length !== 1 && !named) throw new Refusal(line, "FROM takes one image, and AS and a name at most")
    const base = this.baseOf(line, this.fill(line, image))
    if (!named) return { line, base }
    const stage = (name ?? "").toLowerCase()
    if (!/^[a-z][a-z0-9_.-]*$/.test(stage) || stage === "scratch")
      throw new Refusal(line, "the stage's name is no name")
    if (this.stages.some((each) => each.name === stage)) throw new Refusal(line, "two stages have one name")
    return { line, name: stage, base }
  }

  /** `$NAME` and `${NAME}` of ARGs that stand before the first FROM; no quotes, no defaults, no escapes. */
  private fill(line: number, word: string): string {
    return word.replaceAll(/\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g, (_all, braced?: string, bare?: string) => {
      const value = this.globals.get(braced ?? bare ?? "")
      if (value === undefined || value === "") throw new Refusal(line, "FROM uses a variable that has no value")
      return value
    })
  }

  private baseOf(line: number, word: string): StageBase {
    if (word === "scratch") return { kind: "scratch" }
    const index = this.stages.findIndex(({ name }) => name === word.toLowerCase())
    if (index >= 0) return { kind: "stage", index }
    if (canonicalReference(word) === undefined) throw new Refusal(line, "it names no image in a plain way")
    return { kind: "image", reference: word }
  }

  private readCopy(one: DockerInstruction, name: DockerCopy["name"]): DockerCopy {
    const { line } = one
    const { flags, rest } = readFlags(one)
    for (const flag of flags.keys()) {
      const isKnown = plainFlags.has(flag) || (name === "COPY" && flag === "from")
      if (!isKnown) throw new Refusal(line, `--${flag} is not taken on ${name}`)
    }
    const from = flags.get("from")
    if (from !== undefined) return { line, name, source: this.copySource(line, from) }
    if (name === "COPY") return { line, name, source: { kind: "context" } }
    if (rest.includes("$")) throw new Refusal(line, "variables in ADD are not taken: what they hold may be an address")
    const remote = rest.split(/[ \t"',[\]]+/).find((word) => remotePattern.test(word))
    return { line, name, source: remote === undefined ? { kind: "context" } : { kind: "remote", text: remote } }
  }

  private copySource(line: number, from: string): StageBase {
    if (!/^\d+$/.test(from)) return this.baseOf(line, from)
    const index = Number(from)
    if (index < this.stages.length - 1) return { kind: "stage", index }
    throw new Refusal(line, "--from counts a stage that does not stand before this one")
  }
}

/** A mount's `from=` is one more image, a network or device flag undoes what the build was given. */
function refuseRun(one: DockerInstruction): void {
  if (one.text.startsWith("-")) throw new Refusal(one.line, "flags of RUN are not taken")
}

/** The leading `--name=value` words, which builders read with quotes and escapes: there are none here. */
function readFlags({ line, text }: DockerInstruction): { flags: Map<string, string>; rest: string } {
  const flags = new Map<string, string>()
  let rest = text
  while (rest.startsWith("-")) {
    const [whole = "", name, value] = /^--([a-z-]+)=([\w.:/@$+,-]+)(?:[ \t]+|$)/.exec(rest) ?? []
    if (name === undefined || value === undefined) throw new Refusal(line, "a flag is not written as --name=value")
    if (flags.has(name)) throw new Refusal(line, `--${name} stands there twice`)
    if (value.includes("$")) throw new Refusal(line, "variables in flags are not taken")
    flags.set(name, value)
    rest = rest.slice(whole.length)
  }
  return { flags, rest }
}

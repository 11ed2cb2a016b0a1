/** Private modes that a terminal starts with. */
const onAtStart = new Set([7, 25])
/** Final bytes of control sequences that this terminal answers, with what it says. */
const answered: Readonly<Record<string, string>> = {
  c: "\x1b[?65;1;9c",
  ">c": "\x1b[>41;388;0c",
  "=c": "\x1bP!|00000000\x1b\\",
  n: "\x1b[0n\x1b[12;34R",
  "?n": "\x1b[?12;34R",
  x: "\x1b[2;1;1;120;120;1;0x",
  $p: "\x1b[4;2$y",
  "?$p": "\x1b[?2026;2$y",
  "?u": "\x1b[?0u",
  "?m": "\x1b[>4;0m",
  ">q": "\x1bP>|terminal\x1b\\",
  "?S": "\x1b[?1;0;256S",
  "*y": "\x1bP1!~0000\x1b\\",
  $w: "\x1bP1$u1;1;1\x1b\\",
}

/**
 * A terminal that does everything any terminal was ever talked into: 8-bit controls, answers to every question, titles,
 * clipboard, passthrough. It draws nothing; it notes what is done to it and what is left changed.
 */
export class GullibleTerminal {
  /** What happened beyond drawing, in order. */
  readonly effects: string[] = []
  /** Everything received. */
  text = ""
  /** Whether being asked for its status counts as nothing: `bottle` itself asks when it is done. */
  toleratesStatus = false
  /** How often it was asked for its status. */
  statusAsked = 0
  /** Called with what the terminal types by itself. */
  onAnswer: ((text: string) => void) | undefined
  readonly #decoder = new TextDecoder()
  readonly #modes = new Set<string>()
  #keys = 0
  #rest = ""

  write(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true })
    this.text += text
    this.#rest = this.#read(this.#rest + text)
  }

  /** What is different from how it started: modes, character sets, colours, margins, the style of text. */
  get changed(): string[] {
    const unread = this.#rest === "" ? [] : [`waiting for the end of ${JSON.stringify(this.#rest.slice(0, 40))}`]
    return [...this.#modes, ...(this.#keys > 0 ? [`keyboard stack of ${this.#keys}`] : []), ...unread]
  }

  /** Obey what is complete; returns the rest. */
  #read(text: string): string {
    const next = /[\x1b\x05\x07\x0e\x0f\x80-\x9f]/g
    for (let at = 0; ; ) {
      next.lastIndex = at
      const found = next.exec(text)
      if (found === null) return ""
      at = found.index
      const used = this.#obey(text.slice(at))
      if (used === 0) return text.slice(at)
      at += used
    }
  }

  /** Obey the control at the start; returns its length, 0 when more has to come. */
  #obey(text: string): number {
    const code = text.charCodeAt(0)
    if (code === 0x05) return this.#answer("answerback\r", 1)
    if (code === 0x07) return this.#do("bell", 1)
    if (code === 0x0e || code === 0x0f) return this.#mark("second character set", code === 0x0e, 1)
    const is8Bit = code >= 0x80
    const introducer = is8Bit ? 1 : 2
    if (text.length < introducer) return 0
    const kind = is8Bit ? String.fromCharCode(code - 0x40) : (text[1] ?? "")
    if (kind === "[") return this.#control(text, introducer)
    if ("]PX^_k".includes(kind)) return this.#string(kind, text, introducer)
    return this.#escape(kind, text, introducer)
  }

  #control(text: string, from: number): number {
    const match = /^([<=>?]?)([\d;:]*)([ -/]*)([@-~])/.exec(text.slice(from))
    if (match === null) return /^[\d;:<=>? -/]*$/.test(text.slice(from)) ? 0 : from
    const [whole, prefix = "", parameters = "", intermediates = "", final = ""] = match
    const length = from + whole.length
    const name = `${prefix}${intermediates}${final}`
    const answer = answered[name]
    if (name === "u" || name === "s") return length
    // The product's own question, to hear when all before it has been done.
    if (whole === "5n") this.statusAsked += 1
    if (whole === "5n" && this.toleratesStatus) return this.#reply("\x1b[0n", length)
    if (answer !== undefined) return this.#answer(answer, length)
    if (name === "t") return this.#window(parameters, length)
    if (name === "i" || name === "?i") return this.#do("printer", length)
    if (name === "J" && /^3|;3/.test(parameters)) return this.#do("scrollback erased", length)
    if (final === "h" || final === "l") return this.#setModes(prefix, parameters, final === "h", length)
    if (name === "m") return this.#mark("style", !/^0?$/.test(parameters), length)
    if (name === ">m") return this.#mark("modified keys", /;[1-9]/.test(parameters), length)
    if (name === ">u") this.#keys += 1
    if (name === "<u") this.#keys -= Number(parameters || 1)
    if (name === "=u" && this.#keys === 0) this.effects.push("keyboard of the operator changed")
    if (this.#keys < 0) this.effects.push("keyboard stack of the operator popped")
    if (name === "r") return this.#mark("scroll region", parameters !== "", length)
    // The usual shape blinks as usual.
    if (name === " q" && /^0?$/.test(parameters)) this.#modes.delete("mode ?12")
    if (name === " q") return this.#mark("cursor shape", !/^0?$/.test(parameters), length)
    if (name === "!p") this.#modes.clear()
    return length
  }

  #window(parameters: string, length: number): number {
    const [first = ""] = parameters.split(";")
    if (["11", "13", "14", "15", "16", "18", "19", "20", "21"].includes(first)) {
      return this.#answer(first === "21" ? "\x1b]ltitle\x1b\\" : "\x1b[8;24;80t", length)
    }
    return this.#do(`window operation ${parameters}`, length)
  }

  #setModes(prefix: string, parameters: string, on: boolean, length: number): number {
    for (const mode of parameters.split(";")) {
      const name = `mode ${prefix}${mode}`
      const usual = prefix === "?" && onAtStart.has(Number(mode))
      if (prefix === "?" && mode === "1048") continue
      if (["?3", "?40", "?5", "?2", "?1001", "?1042", "?2031", "?2048", "2", "20"].includes(`${prefix}${mode}`))
        this.effects.push(name)
      // Some say at once that they have the focus. A program that reads its input may ask for that.
      if (prefix === "?" && mode === "1004" && on) this.onAnswer?.("\x1b[I")
      if (["47", "1047", "1049"].includes(mode)) this.#mark("alternate screen", on, 0)
      else this.#mark(name, on !== usual, 0)
    }
    return length
  }

  #string(kind: string, text: string, from: number): number {
    const end = (
      kind === "]" ? /\x1b\\|\x07|\x9c|[\x18\x1a]|\x1b(?!\x1b)[^\\]/ : /(?<!\x1b)\x1b\\|\x9c|[\x18\x1a]/
    ).exec(text.slice(from))
    if (end === null) return 0
    const body = text.slice(from, from + end.index)
    const length = from + end.index + end[0].length
    if (/[\x18\x1a]/.test(end[0])) return length
    if (kind !== "]") return this.#opaque(kind, body, length)
    const [command = "", ...values] = body.split(";")
    if (/^(4|5|1\d)$/.test(command)) {
      if (values.includes("?")) return this.#answer(`\x1b]${command};rgb:0000/0000/0000\x1b\\`, length)
      return this.#mark(`colour ${command}`, true, length)
    }
    if (/^1(04|1\d)$/.test(command)) return this.#mark(`colour ${Number(command) - 100}`, false, length)
    if (command === "52" && values.includes("?")) return this.#answer("\x1b]52;c;c2VjcmV0\x07", length)
    return this.#do(`command ${body}`, length)
  }

  #opaque(kind: string, body: string, length: number): number {
    if (kind === "P" && /^(\$q|\+q)/.test(body)) return this.#answer("\x1bP1$r0m\x1b\\", length)
    return this.#do(`${kind === "k" ? "title" : "string"} ${kind}${body}`, length)
  }

  #escape(kind: string, text: string, from: number): number {
    if (/[ -/]/.test(kind)) {
      const match = /^[ -/]*([0-~])/.exec(text.slice(1))
      if (match === null) return 0
      if (/^[()]/.test(match[0])) return this.#mark(`character set ${kind}`, match[0][1] !== "B", 1 + match[0].length)
      return this.#do(`escape ${match[0]}`, 1 + match[0].length)
    }
    if (kind === "Z") return this.#answer(answered.c ?? "", from)
    if (kind === "c") return this.#do("hard reset", from)
    if (kind === "=" || kind === ">") return this.#mark("keypad", kind === "=", from)
    if ("NOno|}~".includes(kind)) return this.#do(`shift ${kind}`, from)
    return from
  }

  #do(effect: string, length: number): number {
    this.effects.push(effect)
    return length
  }

  #answer(text: string, length: number): number {
    this.effects.push(`answer ${text}`)
    return this.#reply(text, length)
  }

  #reply(text: string, length: number): number {
    this.onAnswer?.(text)
    return length
  }

  #mark(name: string, on: boolean, length: number): number {
    if (on) this.#modes.add(name)
    else this.#modes.delete(name)
    return length
  }
}

import { ByteWriter } from "./byte-writer.ts"
import { acceptCommand, mayBeAccepted } from "./colour-command.ts"
import { acceptControl } from "./control-sequence.ts"
import { acceptEscape, acceptShift } from "./escape-sequence.ts"
import { isStyle, quickControlEnd } from "./quick-control.ts"
import { ScreenLedger } from "./screen-ledger.ts"
import { droppedEnd, plainEnd, type Utf8Rest, utf8Next, utf8Start } from "./text.ts"

/** Longest parameters of a control sequence, and longest command, that are looked at; longer ones are dropped whole. */
const maxControl = 512
const maxCommand = 4096

const [bel, so, si, can, sub, esc, del] = [0x07, 0x0e, 0x0f, 0x18, 0x1a, 0x1b, 0x7f]
const tmuxPassthrough = "tmux;"

/**
 * Where the parser stands between two bytes. `string` is any of OSC, DCS, APC, PM, SOS and tmux's title: all run to a
 * string terminator, and only `command` (OSC) is ever looked at.
 */
type State = "text" | "character" | "escape" | "control" | "string" | "string-escape"

/**
 * Reads a terminal's input as a terminal does, and writes only what is understood and allowed, in one canonical form:
 * 7-bit introducers, no control characters inside sequences, strings ended by ST. So what is written means the same to
 * every terminal, however differently they read malformed input.
 */
export class FilterParser {
  readonly #out = new ByteWriter()
  readonly #ledger: ScreenLedger
  #state: State = "text"
  /** A character begun: its bytes so far, and what may follow. */
  readonly #held: number[] = []
  #rest: Utf8Rest = utf8Next(1)
  /** A sequence begun: what stands after its introducer. */
  #body = ""
  #overlong = false
  #isCommand = false
  #previous = 0

  constructor(takesInput: boolean) {
    this.#ledger = new ScreenLedger(takesInput)
  }

  get hasAskedForReports(): boolean {
    return this.#ledger.hasAskedForReports
  }

  push(chunk: Uint8Array): Uint8Array {
    for (let at = 0; at < chunk.length; ) {
      if (this.#state === "text") {
        at = this.#copyRun(chunk, at)
        if (at === chunk.length) break
      } else if (this.#state === "string" && this.#overlong) {
        at = this.#skipRun(chunk, at)
        if (at === chunk.length) break
      }
      // A byte that ends a malformed sequence is read again in the state it has led to.
      if (this.#step(chunk[at] ?? 0)) at++
    }
    return this.#out.take()
  }

  end(): Uint8Array {
    if (this.#state === "character") this.#replaceCharacter()
    this.#enter("text")
    this.#out.ascii(this.#ledger.restore())
    return this.#out.take()
  }

  pending(): string {
    return this.#ledger.copy().restore()
  }

  /** Copy text and the sequences that are fine as they stand; returns where that run ends. */
  #copyRun(chunk: Uint8Array, from: number): number {
    let at = plainEnd(chunk, from)
    for (let next = quickControlEnd(chunk, at); next !== 0; next = quickControlEnd(chunk, at)) {
      const style = isStyle(chunk, at, next)
      if (style !== "none") this.#ledger.setStyle(style === "on")
      at = plainEnd(chunk, next)
    }
    if (at > from) this.#out.copy(chunk, from, at)
    return at
  }

  /** Pass over what is dropped anyway, such as a picture; returns where a byte stands that may end it. */
  #skipRun(chunk: Uint8Array, from: number): number {
    const at = droppedEnd(chunk, from)
    if (at > from) this.#previous = chunk[at - 1] ?? 0
    return at
  }

  /** Take one byte; false when the byte is to be read again. */
  #step(byte: number): boolean {
    switch (this.#state) {
      case "text":
        return this.#stepText(byte)
      case "character":
        return this.#stepCharacter(byte)
      case "escape":
        return this.#stepEscape(byte)
      case "control":
        return this.#stepControl(byte)
      case "string":
        return this.#stepString(byte)
      case "string-escape":
        return this.#stepStringEscape(byte)
    }
  }

  #stepText(byte: number): boolean {
    if (byte < 0x80) return this.#obey(byte)
    const rest = utf8Start(byte)
    if (rest === undefined) this.#replaceCharacter()
    else {
      this.#enter("character")
      this.#held.length = 0
      this.#held.push(byte)
      this.#rest = rest
    }
    return true
  }

  #stepCharacter(byte: number): boolean {
    if (byte < this.#rest.low || byte > this.#rest.high) {
      this.#replaceCharacter()
      this.#enter("text")
      return false
    }
    this.#held.push(byte)
    this.#rest = utf8Next(this.#rest.need)
    if (this.#rest.need > 0) return true
    this.#enter("text")
    // U+0080 to U+009F are the 8-bit controls: to some terminals the same as ESC and a letter.
    if (this.#held[0] === 0xc2 && byte < 0xa0) {
      this.#enter("escape")
      return this.#stepEscape(byte - 0x40)
    }
    for (const held of this.#held) this.#out.byte(held)
    return true
  }

  #stepEscape(byte: number): boolean {
    if (byte < 0x20 || byte === del) return this.#obey(byte)
    if (byte >= 0x80) return this.#abandon()
    const character = String.fromCharCode(byte)
    if (byte < 0x30) {
      // No sequence that is allowed has two; one more is kept to know that.
      if (this.#body.length < 2) this.#body += character
      return true
    }
    const opens = this.#body === "" ? character : ""
    if (opens === "[") this.#enter("control")
    else if ("]PX^_k".includes(opens) && opens !== "") {
      this.#enter("string")
      this.#isCommand = opens === "]"
    } else {
      this.#out.ascii(acceptEscape(this.#body, character, this.#ledger))
      this.#enter("text")
    }
    return true
  }

  #stepControl(byte: number): boolean {
    if (byte < 0x20 || byte === del) return this.#obey(byte)
    if (byte >= 0x80) return this.#abandon()
    if (byte < 0x40) {
      this.#collect(byte, maxControl)
      return true
    }
    if (!this.#overlong) this.#out.ascii(acceptControl(this.#body, String.fromCharCode(byte), this.#ledger))
    this.#enter("text")
    return true
  }

  #stepString(byte: number): boolean {
    // As a character of UTF-8 only: as a single byte it is part of many a title.
    const is8BitTerminator = byte === 0x9c && this.#previous === 0xc2
    this.#previous = byte
    if (byte === esc) this.#state = "string-escape"
    else if (byte === can || byte === sub) this.#enter("text")
    else if (byte === bel && this.#isCommand) this.#finishString()
    else if (is8BitTerminator) {
      this.#body = this.#body.slice(0, -1)
      this.#finishString()
    } else if (byte >= 0x20) {
      this.#collect(byte, this.#isCommand ? maxCommand : tmuxPassthrough.length)
      if (this.#isHopeless()) this.#overlong = true
    }
    return true
  }

  #stepStringEscape(byte: number): boolean {
    if (byte === 0x5c) {
      this.#finishString()
      return true
    }
    // What tmux would pass on has each ESC doubled: such a pair is content.
    if (byte === esc && !this.#isCommand && this.#body === tmuxPassthrough) {
      this.#state = "string"
      return true
    }
    this.#enter("escape")
    return false
  }

  /** Whether its first bytes tell that the string will be dropped, so that the rest can be passed over. */
  #isHopeless(): boolean {
    return this.#isCommand
      ? this.#body.length === 1 && !mayBeAccepted(this.#body)
      : this.#body.length <= tmuxPassthrough.length && !tmuxPassthrough.startsWith(this.#body)
  }

  #finishString(): void {
    if (this.#isCommand && !this.#overlong) this.#out.ascii(acceptCommand(this.#body, this.#ledger))
    this.#enter("text")
  }

  /** A control character, which terminals also obey in the middle of a sequence. */
  #obey(byte: number): boolean {
    if (byte === esc) this.#enter("escape")
    else if (byte === can || byte === sub) this.#enter("text")
    else if (byte === so || byte === si) this.#out.ascii(acceptShift(byte, this.#ledger))
    // Backspace, tab, line feeds, carriage return. The rest is dropped: NUL, bell, ENQ, which asks for an answer, ….
    else if (byte >= 0x08 && byte <= 0x0d) this.#out.byte(byte)
    return true
  }

  #collect(byte: number, limit: number): void {
    if (this.#body.length < limit) this.#body += String.fromCharCode(byte)
    else this.#overlong = true
  }

  #replaceCharacter(): void {
    this.#out.byte(0xef)
    this.#out.byte(0xbf)
    this.#out.byte(0xbd)
  }

  #abandon(): false {
    this.#enter("text")
    return false
  }

  #enter(state: State): void {
    this.#state = state
    this.#body = ""
    this.#overlong = false
    this.#isCommand = false
    this.#previous = 0
  }
}

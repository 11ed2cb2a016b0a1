/** Private modes that full-screen programs need, and whether a terminal starts with them on. */
const privateModes: ReadonlyMap<number, boolean> = new Map([
  [1, false], // application cursor keys
  [6, false], // origin
  [7, true], // wrap
  [9, false], // mouse, X10
  [12, false], // cursor blink
  [25, true], // cursor visible
  [47, false], // alternate screen, three kinds
  [1047, false],
  [1048, false], // save and restore the cursor
  [1049, false],
  [66, false], // application keypad
  ...[1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016].map((mode) => [mode, false] as const), // mouse, focus
  [2004, false], // bracketed paste
  [2026, false], // synchronized output
])
// Left out on purpose: 2 (VT52), 3 and 40 (resize), 5 (reverse the screen), 69 (margins), 1001 (waits for an answer),
// 1042 and 1043 (urgency), 2031 and 2048 (reports that come unasked).
const alternateScreens = [47, 1047, 1049]
/** Modes by which the terminal types by itself: what the mouse does, and that the window has the focus. */
const reportModes = new Set([9, 1000, 1002, 1003, 1004])
/** Modes that change nothing but what is typed: without an input of its own no program has a use for them. */
const inputModes = new Set([...reportModes, 1, 66, 1005, 1006, 1015, 1016, 2004])

/** More would push the operator's own entries off the terminal's short stack. */
const maxKeyboardDepth = 4

/**
 * What a session has changed about the terminal, so that `restore` can undo that and nothing else. The agent's
 * program may be killed at any point, and the operator's shell gets the terminal back.
 */
export class ScreenLedger {
  /** Whether the program reads what is typed into this terminal. */
  readonly takesInput: boolean
  /** Private modes away from how they started. */
  readonly #modes = new Set<number>()
  /** Entries pushed to the kitty keyboard stack; each screen has a stack of its own. */
  #keyboard = { main: 0, alternate: 0 }
  #styled = false
  /** Other undo sequences that are due, once each, in order of first change. */
  readonly #due = new Set<string>()

  /** Whether the terminal was ever made to type by itself: some of that may still be on its way. */
  hasAskedForReports = false

  constructor(takesInput: boolean) {
    this.takesInput = takesInput
  }

  /** Another one that stands as this does. */
  copy(): ScreenLedger {
    const copy = new ScreenLedger(this.takesInput)
    for (const mode of this.#modes) copy.#modes.add(mode)
    for (const undo of this.#due) copy.#due.add(undo)
    copy.#keyboard = { ...this.#keyboard }
    copy.#styled = this.#styled
    return copy
  }

  /** Is this a private mode that may be set at all? */
  knows(mode: number): boolean {
    return privateModes.has(mode) && (this.takesInput || !inputModes.has(mode))
  }

  /** Note a private mode; returns what must be written before the change itself. */
  setMode(mode: number, on: boolean): string {
    if (on && reportModes.has(mode)) this.hasAskedForReports = true
    const leaves = !on && alternateScreens.includes(mode) && this.#onAlternate()
    const before = leaves ? this.popKeyboard(this.#keyboard.alternate) : ""
    if (mode === 12) this.owe("\x1b[0 q")
    else if (mode !== 1048) {
      if (leaves) for (const screen of alternateScreens) this.#modes.delete(screen)
      else if (on === privateModes.get(mode)) this.#modes.delete(mode)
      else this.#modes.add(mode)
    }
    return before
  }

  /** Note whether text is drawn in a style now. */
  setStyle(on: boolean): void {
    this.#styled = on
  }

  /** Make `undo` due at the end, or, with `due` false, no longer due. */
  owe(undo: string, due = true): void {
    if (due) this.#due.add(undo)
    else this.#due.delete(undo)
  }

  /** Push to the keyboard stack; empty when it is full. */
  pushKeyboard(flags: string): string {
    const screen = this.#screen()
    if (!this.takesInput || this.#keyboard[screen] >= maxKeyboardDepth) return ""
    this.#keyboard[screen] += 1
    return `\x1b[>${flags}u`
  }

  /** Pop at most what was pushed here: the entries below are the operator's. */
  popKeyboard(count: number): string {
    const screen = this.#screen()
    const popped = Math.min(count, this.#keyboard[screen])
    this.#keyboard[screen] -= popped
    return popped === 0 ? "" : `\x1b[<${popped}u`
  }

  /** Change the top of the keyboard stack, which must be an entry of our own. */
  changeKeyboard(parameters: string): string {
    if (!this.takesInput) return ""
    const own = this.#keyboard[this.#screen()] === 0 ? this.pushKeyboard("0") : ""
    return `${own}\x1b[=${parameters}u`
  }

  /** Undo everything that is still changed, and forget it. Empty when nothing is. */
  restore(): string {
    const modes = [...this.#modes].filter((mode) => !alternateScreens.includes(mode))
    const screens = alternateScreens.filter((mode) => this.#modes.has(mode))
    const undo = [...modes, ...screens].map((mode) => {
      const before = this.setMode(mode, privateModes.get(mode) === true)
      return `${before}\x1b[?${mode}${privateModes.get(mode) === true ? "h" : "l"}`
    })
    const rest = [this.popKeyboard(this.#keyboard.main), ...this.#due, this.#styled ? "\x1b[0m" : ""]
    this.#due.clear()
    this.#styled = false
    return [...undo, ...rest].join("")
  }

  #onAlternate(): boolean {
    return alternateScreens.some((mode) => this.#modes.has(mode))
  }

  #screen(): "main" | "alternate" {
    return this.#onAlternate() ? "alternate" : "main"
  }
}

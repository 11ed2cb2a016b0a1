import { FilterParser } from "./parser.ts"

/** A filter of one stream; holds what stands between two chunks. */
export interface TerminalFilter {
  /** The part of these bytes, and of what was held back before, that may reach a terminal. */
  push(chunk: Uint8Array): Uint8Array
  /** The stream has ended: undo what it left changed about the terminal. The filter is as new afterwards. */
  end(): Uint8Array
  /** What `end` would write to undo what is changed now, as ASCII; nothing is forgotten. */
  pending(): string
  /** Whether the terminal was ever made to type by itself (mouse, focus): some of that may still be on its way. */
  readonly hasAskedForReports: boolean
}

/**
 * Makes what an untrusted program writes safe to show on the operator's terminal (SECURITY 22). What passes is a list:
 * text, styles, colours, cursor movement, erasing, and the screen modes of full-screen programs. Everything else is
 * dropped: titles, clipboard, links, notifications, images, passthrough, and whatever a terminal answers. With
 * `takesInput: false` the modes of keys, mouse, focus and paste are dropped too: nobody inside reads what is typed, so
 * the operator's shell would.
 */
export function createTerminalFilter({ takesInput = true } = {}): TerminalFilter {
  return new FilterParser(takesInput)
}

/** What a tmux can do for us, by its version (facts: CHANGES and source of each release). */
export interface TmuxAbilities {
  /** As `tmux -V` says it, without `tmux `. */
  version: string
  /** Below 3.2 there are no popups and no pane options that we need. */
  supported: boolean
  /** `display-popup -T -b -e -s`. */
  popupTitle: boolean
  /** Floating panes (`new-pane`), from 3.7a: 3.7 itself crashes on `break-pane`. */
  floatingPanes: boolean
  /** Whether the version could be read; an unknown one is taken for the newest, with one warning. */
  known: boolean
}

/** Read `tmux -V`: `tmux 3.3a`, `tmux next-3.8`, `tmux 3.1-rc`, `tmux openbsd-7.6`, `tmux master`. Never throws. */
export function readAbilities(text: string): TmuxAbilities {
  const version = text.trim().replace(/^tmux /, "")
  const match = version.startsWith("openbsd") ? null : /^(?:next-)?(\d+)\.(\d+)([a-z]?)/.exec(version)
  if (match === null) return { version, supported: true, popupTitle: true, floatingPanes: true, known: false }
  const number = Number(match[1]) * 1000 + Number(match[2])
  const letter = match[3] ?? ""
  return {
    version,
    supported: number >= 3002,
    popupTitle: number >= 3003,
    floatingPanes: number > 3007 || (number === 3007 && letter !== ""),
    known: true,
  }
}

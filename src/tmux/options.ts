/** The `@bottle-*` options an operator may set. What is published by us has an underscore: `@bottle_status`. */
export interface TmuxOptions {
  /** Key after the prefix; undefined: none. */
  key: string | undefined
  /** Key of the table behind it, without the prefix; undefined: none. */
  menuKey: string | undefined
  surface: "auto" | "popup" | "float" | "split" | "window"
  popupWidth: string
  popupHeight: string
  /** What a new proposal does besides the badge. */
  notify: ReadonlySet<Notice>
  /** Path of the binary; undefined: found on PATH or beside. */
  bin: string | undefined
}

export const notices = ["bell", "focus", "popup"] as const
export type Notice = (typeof notices)[number]

interface OptionRule {
  fallback: string
  /** The rule in words, for a bad value. */
  expects: string
  accepts(value: string): boolean
}

const key: Omit<OptionRule, "fallback"> = {
  expects: "a key as tmux names it, such as B or M-b, or none",
  accepts: (value) => /^(?:[CMS]-){0,3}(?:[!-~]|[A-Z][A-Za-z0-9]{1,12})$/.test(value) || value === "none",
}

const size: Omit<OptionRule, "fallback"> = {
  expects: "columns or lines, or a percentage, such as 90 or 80%",
  accepts: (value) => /^(?:[1-9][0-9]{0,3}|[1-9][0-9]?%|100%)$/.test(value),
}

const surfaces = ["auto", "popup", "float", "split", "window"] as const

const optionRules: Readonly<Record<string, OptionRule>> = {
  "@bottle-key": { ...key, fallback: "B" },
  "@bottle-menu-key": { ...key, fallback: "none" },
  "@bottle-surface": {
    fallback: "auto",
    expects: surfaces.join(", "),
    accepts: (value) => (surfaces as readonly string[]).includes(value),
  },
  "@bottle-popup-width": { ...size, fallback: "90%" },
  "@bottle-popup-height": { ...size, fallback: "80%" },
  "@bottle-notify": {
    fallback: "bell",
    expects: `none, or some of ${notices.join(", ")} with commas`,
    accepts: (value) =>
      value === "none" || value.split(",").every((word) => (notices as readonly string[]).includes(word)),
  },
  "@bottle-bin": {
    fallback: "none",
    expects: "an absolute path, or none",
    accepts: (value) => value === "none" || value.startsWith("/"),
  },
}

/** What was set, with every bad or unknown option named; a bad one stands at its default. */
export function readOptions(shown: string): { options: TmuxOptions; problems: string[] } {
  const set = parseOptions(shown)
  const problems: string[] = []
  const values = new Map(Object.entries(optionRules).map(([name, { fallback }]) => [name, fallback]))
  for (const [name, value] of set) {
    const rule = Object.hasOwn(optionRules, name) ? optionRules[name] : undefined
    if (rule === undefined) problems.push(`${name}: no such option`)
    else if (value === "" || !rule.accepts(value)) problems.push(`${name}: expected ${rule.expects}`)
    else values.set(name, value)
  }
  const value = (name: string) => values.get(name) ?? ""
  const unless = (name: string) => (value(name) === "none" ? undefined : value(name))
  return {
    problems,
    options: {
      key: unless("@bottle-key"),
      menuKey: unless("@bottle-menu-key"),
      surface: value("@bottle-surface") as TmuxOptions["surface"],
      popupWidth: value("@bottle-popup-width"),
      popupHeight: value("@bottle-popup-height"),
      notify: new Set((unless("@bottle-notify") ?? "").split(",").filter((word): word is Notice => word !== "")),
      bin: unless("@bottle-bin"),
    },
  }
}

/** Lines of `show-options -g`: a name, a space, a value that tmux quotes where it must. */
function parseOptions(shown: string): [name: string, value: string][] {
  return shown.split("\n").flatMap((line): [string, string][] => {
    const match = /^(@bottle-[^\s[\]]+)(?: (.*))?$/.exec(line)
    return match === null ? [] : [[match[1] ?? "", unquote(match[2] ?? "")]]
  })
}

function unquote(text: string): string {
  const quoted = /^"(.*)"$/.exec(text)?.[1]
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/g, "$1")
  return /^'(.*)'$/.exec(text)?.[1] ?? text.replaceAll(/\\(.)/g, "$1")
}

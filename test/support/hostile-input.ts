/** What makes a parser of YAML work hard when a file is made of nothing else. */
export const hostileUnits = [
  "[",
  "{",
  "- ",
  "? ",
  "a: {",
  "[,",
  "]",
  "&a ",
  "! ",
  "*a ",
  "&a x: *a\n",
  "- &a [*a]\n",
  "'",
  "|\n",
  "%x\n",
  "---x\n",
  ": ",
  "a:\n ",
]

/** As much frontmatter of one unit as a manifest may have. */
export const repeated = (unit: string): string => unit.repeat(Math.floor((60 * 1024) / unit.length))

/** Patterns that a backtracking engine takes seconds to centuries for, on these paths. */
export const hostilePatterns = [
  "(a+)+b",
  "(a|a)*b",
  "(a|aa)+$",
  "(.*)*x",
  ".*a.*a.*a.*a.*a.*b",
  "(a?){80}a{80}",
  "([a-z]+)*[0-9]",
  "(.?.?.?.?.?.?.?.?)*x",
  "(a|b|ab)*c{50}",
  ".*a.{100}",
]

export const hostilePaths = [
  "a".repeat(2048),
  "ab".repeat(1024),
  Array.from({ length: 2048 }, (_, i) => "ab"[(i * i * 7 + (i >> 3)) % 2]).join(""),
]

const usual = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]

/** The 16 ANSI names that a bottle may be coloured with, and the number by which a terminal knows each. */
export const sgrColors: Readonly<Record<string, number>> = Object.fromEntries([
  ...usual.map((name, at) => [name, 30 + at] as const),
  ["gray", 90] as const,
  ...usual.slice(1).map((name, at) => [`${name}Bright`, 91 + at] as const),
])

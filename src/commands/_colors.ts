/** The 16 ANSI names that a bottle may be coloured with. */
export const colors = [
  ...["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"],
  ...["gray", "redBright", "greenBright", "yellowBright", "blueBright", "magentaBright", "cyanBright", "whiteBright"],
] as const

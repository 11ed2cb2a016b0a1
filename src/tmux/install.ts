const begin = "# >>> bottle >>>"
const end = "# <<< bottle <<<"

/** The line that loads the plugin without a plugin manager, between marks by which it is found again. */
function block(bin: string): string {
  return `${begin}\nrun-shell -b '"${bin}" tmux load'\n${end}\n`
}

/** A configuration with the block in it, in place of an earlier one; everything else byte for byte. */
export function withBlock(config: string, bin: string): string {
  const without = withoutBlock(config)
  const gap = without === "" || without.endsWith("\n") ? "" : "\n"
  return `${without}${gap}${block(bin)}`
}

/** The configuration without the block; one whose end mark is missing is left as it is. */
export function withoutBlock(config: string): string {
  const from = config.indexOf(`${begin}\n`)
  const to = config.indexOf(`${end}\n`, from)
  return from === -1 || to === -1 ? config : config.slice(0, from) + config.slice(to + end.length + 1)
}

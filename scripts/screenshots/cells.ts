/** One character of a screen, as it is drawn. */
export interface Cell {
  text: string
  fg: Color
  bg: Color
  bold: boolean
  underline: boolean
}

export type Color = readonly [red: number, green: number, blue: number]

const basic: readonly Color[] = [
  [29, 31, 33],
  [204, 102, 102],
  [140, 180, 104],
  [222, 165, 78],
  [105, 150, 200],
  [178, 148, 187],
  [120, 190, 183],
  [197, 200, 198],
  [102, 108, 112],
  [225, 120, 120],
  [170, 210, 130],
  [240, 198, 116],
  [129, 178, 230],
  [200, 170, 210],
  [140, 214, 206],
  [240, 240, 240],
]
const text: Color = [212, 215, 214]
const paper: Color = [24, 26, 29]

interface Style {
  fg: Color | undefined
  bg: Color | undefined
  bold: boolean
  dim: boolean
  underline: boolean
  reverse: boolean
}

const plain: Style = { fg: undefined, bg: undefined, bold: false, dim: false, underline: false, reverse: false }

/** A screen of `tmux capture-pane -pe` as rows of cells, `cols` wide; a wide character is followed by an empty cell. */
export function readCells(screen: string, cols: number): Cell[][] {
  let style = plain
  return screen
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => {
      const row: Cell[] = []

      for (const [, sgr, other, character] of line.matchAll(
        /\x1b\[([\d;:]*)m|(\x1b[^m]*?(?:\x07|\x1b\\|[A-Za-z]))|(.)/gu,
      )) {
        if (sgr !== undefined) style = applySgr(style, sgr)
        else if (other === undefined && character !== undefined) {
          row.push(cellOf(character, style))
          if (Bun.stringWidth(character) === 2) row.push(cellOf("", style))
        }
      }
      while (row.length < cols) row.push(cellOf(" ", plain))
      return row.slice(0, cols)
    })
}

function cellOf(character: string, { fg = text, bg = paper, bold, dim, underline, reverse }: Style): Cell {
  const ink = dim ? fade(fg, bg) : fg
  return { text: character, fg: reverse ? bg : ink, bg: reverse ? ink : bg, bold, underline }
}

function fade(fg: Color, bg: Color): Color {
  const mix = (index: 0 | 1 | 2) => Math.round(fg[index] * 0.6 + bg[index] * 0.4)
  return [mix(0), mix(1), mix(2)]
}

function applySgr(style: Style, codes: string): Style {
  const next = { ...style }
  const numbers = codes.split(/[;:]/).map(Number)
  while (numbers.length > 0) {
    const code = numbers.shift() ?? 0
    if (code === 0) Object.assign(next, plain)
    else if (code === 1) next.bold = true
    else if (code === 2) next.dim = true
    else if (code === 4) next.underline = true
    else if (code === 7) next.reverse = true
    else if (code === 22) Object.assign(next, { bold: false, dim: false })
    else if (code === 24) next.underline = false
    else if (code === 27) next.reverse = false
    else if (code === 38 || code === 48) next[code === 38 ? "fg" : "bg"] = extended(numbers)
    else if (code === 39) next.fg = undefined
    else if (code === 49) next.bg = undefined
    else if (code >= 30 && code <= 37) next.fg = basic[code - 30]
    else if (code >= 40 && code <= 47) next.bg = basic[code - 40]
    else if (code >= 90 && code <= 97) next.fg = basic[code - 82]
    else if (code >= 100 && code <= 107) next.bg = basic[code - 92]
  }
  return next
}

/** What follows 38 or 48: `5;n` of the 256 colours, or `2;r;g;b`. */
function extended(numbers: number[]): Color | undefined {
  const kind = numbers.shift()
  if (kind === 2) return [numbers.shift() ?? 0, numbers.shift() ?? 0, numbers.shift() ?? 0]
  const index = numbers.shift() ?? 0
  if (index < 16) return basic[index]
  if (index >= 232) {
    const gray = 8 + (index - 232) * 10
    return [gray, gray, gray]
  }
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40)
  const cube = index - 16
  return [level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]
}

import { deflateSync } from "node:zlib"
import type { Cell, Color } from "./cells.ts"

/** Glyphs of GNU Unifont's `.hex` file: 8 or 16 pixels wide, 16 high, a bit a pixel. */
export function readFont(hex: string): Map<number, Uint8Array> {
  const lines = hex.split("\n").filter((line) => line !== "")
  return new Map(
    lines.map((line) => {
      const [code = "", bits = ""] = line.split(":")
      return [Number.parseInt(code, 16), Uint8Array.from(Buffer.from(bits, "hex"))]
    }),
  )
}

const glyph = { width: 8, height: 16 }
const margin = 12

/** Cells as a PNG of true colours, each pixel `scale` wide and high (PNG specification, third edition). */
export function drawPng(rows: readonly (readonly Cell[])[], font: ReadonlyMap<number, Uint8Array>, scale = 2): Buffer {
  const width = (rows[0]?.length ?? 0) * glyph.width + 2 * margin
  const height = rows.length * glyph.height + 2 * margin
  const pixels = Buffer.alloc(width * height * 3)
  const put = (x: number, y: number, [red, green, blue]: Color) => pixels.set([red, green, blue], (y * width + x) * 3)
  const paper: Color = [24, 26, 29]
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) put(x, y, paper)
  rows.forEach((row, line) => {
    row.forEach((cell, column) => {
      drawCell(cell, font, (x, y, color) =>
        put(margin + column * glyph.width + x, margin + line * glyph.height + y, color),
      )
    })
  })
  return encode(enlarge(pixels, width, height, scale), width * scale, height * scale)
}

function drawCell(
  { text, fg, bg, bold, underline }: Cell,
  font: ReadonlyMap<number, Uint8Array>,
  put: (x: number, y: number, color: Color) => void,
): void {
  // The second half of a wide character is drawn with the first.
  if (text === "") return
  const bits = font.get(text.codePointAt(0) ?? 32) ?? font.get(0xfffd) ?? new Uint8Array(16)
  const bytes = bits.length / glyph.height
  for (let y = 0; y < glyph.height; y++) {
    for (let x = 0; x < bytes * 8; x++) {
      const set = (at: number) => at >= 0 && ((bits[y * bytes + (at >> 3)] ?? 0) >> (7 - (at & 7))) & 1
      const ink = set(x) || (bold && set(x - 1)) || (underline && y === 14)
      put(x, y, ink ? fg : bg)
    }
  }
}

function enlarge(pixels: Buffer, width: number, height: number, scale: number): Buffer {
  const out = Buffer.alloc(pixels.length * scale * scale)
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * 3
      pixels.copy(out, (y * width * scale + x) * 3, from, from + 3)
    }
  }
  return out
}

function encode(pixels: Buffer, width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const lines = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0; y < height; y++) pixels.copy(lines, y * (width * 3 + 1) + 1, y * width * 3, (y + 1) * width * 3)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const chunks = [
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]
  return Buffer.concat([signature, ...chunks])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(Bun.hash.crc32(body) >>> 0, body.length + 4)
  return out
}

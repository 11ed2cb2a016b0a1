/** A parsed value, or what is wrong with it as the end of a sentence. */
export type Parsed<T> = { kind: "value"; value: T } | { kind: "bad"; why: string }

const sizeUnits: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }
const timeUnits: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

export const sizeRule = "expected a size with its unit, such as 500m or 2g"
export const durationRule = "expected a time with its unit, such as 90s, 30m or 8h"

/** `2g`, `500m`, `1.5G`: a number and a unit of 1024 (k, m, g, t), as bytes. */
export function parseSize(text: string): Parsed<number> {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)([kmgt])(?:i?b)?$/i.exec(text.trim())
  return scaled(match, sizeUnits, sizeRule)
}

/** `30m`, `8h`, `90s`, `7d`: a number and a unit, as seconds. */
export function parseDuration(text: string): Parsed<number> {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/i.exec(text.trim())
  return scaled(match, timeUnits, durationRule)
}

function scaled(match: RegExpExecArray | null, units: Readonly<Record<string, number>>, why: string): Parsed<number> {
  const factor = units[match?.[2]?.toLowerCase() ?? ""]
  if (factor === undefined) return { kind: "bad", why }
  const value = Math.round(Number(match?.[1]) * factor)
  if (value < 1) return { kind: "bad", why: "must be more than zero" }
  return Number.isSafeInteger(value) ? { kind: "value", value } : { kind: "bad", why: "is too large" }
}

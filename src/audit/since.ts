const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
const ago = /^(\d{1,6})([smhdw])$/
const date = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/

/** A time in the past: `2h`, `7d` before `now`, or a date or time of ISO 8601 (a date begins at midnight UTC). */
export function parseSince(text: string, now: Date): Date | undefined {
  const [, count, unit] = ago.exec(text) ?? []
  if (count !== undefined) return new Date(now.getTime() - Number(count) * (unitSeconds[unit ?? ""] ?? 0) * 1000)
  const at = date.test(text) ? new Date(text) : undefined
  return at === undefined || Number.isNaN(at.getTime()) ? undefined : at
}

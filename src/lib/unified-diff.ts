/** Lines of context around a change. */
const context = 3
/** Above this many cells the table of common lines would cost more than a diff is worth: all lines are then replaced. */
const mostCells = 4_000_000

type Edit = { kind: " " | "-" | "+"; text: string }

/** A unified diff of two texts under one name, "" when they are the same. */
export function unifiedDiff(name: string, before: string, after: string): string {
  if (before === after) return ""
  const edits = editsBetween(linesOf(before), linesOf(after))
  const lines = [`--- ${name}`, `+++ ${name}`]
  let [oldLine, newLine] = [1, 1]
  for (let at = 0; at < edits.length; ) {
    const from = nextChange(edits, at)
    if (from === edits.length) break
    const start = Math.max(at, from - context)
    oldLine += start - at
    newLine += start - at
    const end = endOfHunk(edits, from)
    const hunk = edits.slice(start, end)
    const olds = hunk.filter(({ kind }) => kind !== "+").length
    const news = hunk.filter(({ kind }) => kind !== "-").length
    lines.push(
      `@@ -${range(oldLine, olds)} +${range(newLine, news)} @@`,
      ...hunk.map(({ kind, text }) => `${kind}${text}`),
    )
    oldLine += olds
    newLine += news
    at = end
  }
  return `${lines.join("\n")}\n`
}

function range(line: number, count: number): string {
  return count === 1 ? String(line) : `${count === 0 ? line - 1 : line},${count}`
}

function nextChange(edits: readonly Edit[], at: number): number {
  const found = edits.findIndex(({ kind }, index) => index >= at && kind !== " ")
  return found === -1 ? edits.length : found
}

/** Changes with at most twice the context between them share a hunk. */
function endOfHunk(edits: readonly Edit[], from: number): number {
  let last = from
  for (let at = from; at < edits.length && at <= last + 2 * context; at += 1) if (edits[at]?.kind !== " ") last = at
  return Math.min(edits.length, last + 1 + context)
}

function linesOf(text: string): string[] {
  if (text === "") return []
  return (text.endsWith("\n") ? text.slice(0, -1) : `${text}\n\\ No newline at end of file`).split("\n")
}

function editsBetween(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1
  return [
    ...a.slice(0, head).map(same),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(same),
  ]
}

/** The longest common subsequence, by its table. */
function middle(a: readonly string[], b: readonly string[]): Edit[] {
  if (a.length * b.length > mostCells) return [...a.map(gone), ...b.map(come)]
  const width = b.length + 1
  const table = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => table[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const edits: Edit[] = []
  let [i, j] = [0, 0]
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      edits.push(same(a[i++] ?? ""))
      j += 1
    } else if (at(i + 1, j) >= at(i, j + 1)) edits.push(gone(a[i++] ?? ""))
    else edits.push(come(b[j++] ?? ""))
  }
  return [...edits, ...a.slice(i).map(gone), ...b.slice(j).map(come)]
}

const same = (text: string): Edit => ({ kind: " ", text })
const gone = (text: string): Edit => ({ kind: "-", text })
const come = (text: string): Edit => ({ kind: "+", text })

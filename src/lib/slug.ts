const maxSlug = 40
const suffixLength = 5
const base36 = "0123456789abcdefghijklmnopqrstuvwxyz"
const slugShape = /^[a-z0-9]+(-[a-z0-9]+)*$/

/**
 * The identity of a new bottle: its label in lower-case ASCII words, a hyphen, and five base36 characters of
 * `random`. Every runtime takes it as a name: at most 40 characters, no double or trailing hyphen.
 */
export function makeSlug(label: string, random: (bytes: number) => Uint8Array): string {
  const words = label
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+/g, "")
    .slice(0, maxSlug - suffixLength - 1)
    .replaceAll(/-+$/g, "")
  return `${words || "bottle"}-${suffix(random)}`
}

/** Is this a well-formed slug? Checked wherever one arrives from outside, before it becomes part of a path. */
export function isSlug(text: string): boolean {
  return text.length <= maxSlug && slugShape.test(text)
}

function suffix(random: (bytes: number) => Uint8Array): string {
  let text = ""
  while (text.length < suffixLength) {
    for (const byte of random(suffixLength * 2)) {
      // 252 is the largest multiple of 36 in a byte: above it a letter would be likelier than others.
      if (byte < 252 && text.length < suffixLength) text += base36[byte % 36]
    }
  }
  return text
}

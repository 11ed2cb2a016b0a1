import { isIP } from "node:net"
import { domainToUnicode } from "node:url"
import { editDistance } from "../../lib/nearest.ts"

/** A host as both readings of it, for every surface: `xn--…` alone says nothing, the letters alone deceive. */
export function bothSpellings(host: string): string {
  const unicode = domainToUnicode(host.replace(/^\*\./, ""))
  const bare = host.replace(/^\*\./, "")
  return unicode === "" || unicode === bare ? host : `${host} (reads as ${unicode})`
}

/** Names that no public resolver answers for, by RFC 6761 and 8375, common use, and cloud metadata. */
const internalEndings = [
  "localhost",
  "local",
  "internal",
  "intranet",
  "lan",
  "home",
  "corp",
  "private",
  "test",
  "invalid",
].concat(["home.arpa", "localdomain", "svc", "cluster.local", "consul", "onion", "example"])
const metadataNames = new Set(["metadata", "metadata.google.internal", "instance-data"])

export function isAddress(host: string): boolean {
  return isIP(host) !== 0 || host.startsWith("[")
}

export function looksInternal(host: string): boolean {
  if (isAddress(host)) return false
  if (!host.includes(".") || metadataNames.has(host)) return true
  return internalEndings.some((ending) => host.endsWith(`.${ending}`))
}

/** A label that looks made by a program: whoever answers for the name reads it when it is looked up. */
export function carriesData(host: string): string | undefined {
  const labels = host.replace(/^\*\./, "").split(".").slice(0, -1)
  const odd = labels.find((label) => {
    if (label.startsWith("xn--")) return label.length > 40
    if (label.length >= 40) return true
    const digits = label.replaceAll(/\D/g, "").length
    return label.length >= 20 && (digits >= 6 || /^[0-9a-f]+$/.test(label)) && !label.includes("-")
  })
  return odd ?? (labels.length >= 7 ? labels.join(".") : undefined)
}

/** Letters that look like others, folded to the one they look like; from Unicode's confusables, those of host names. */
const foldings: readonly (readonly [from: string, to: string])[] = [
  ["аạąàáâãäåāăɑα", "a"],
  ["ьЬƅЪ", "b"],
  ["сϲçćĉċčƈ", "c"],
  ["ԁďđɗ", "d"],
  ["еёэєẹèéêëēĕėęěɛε", "e"],
  ["ƒſ", "f"],
  ["ɡǥĝğġģԌ", "g"],
  ["һհħĥ", "h"],
  ["іїìíîïĩīĭįıιɩ1lӏ|ł", "i"],
  ["јĵϳ", "j"],
  ["кκķĸ", "k"],
  ["мṃ", "m"],
  ["ոñńņňŉηп", "n"],
  ["оοσöòóôõøōŏőօο0ө", "o"],
  ["рρṗ", "p"],
  ["ԛգ", "q"],
  ["гŕŗřɾ", "r"],
  ["ѕśŝşšșß5", "s"],
  ["тτţťŧț", "t"],
  ["υцùúûüũūŭůűųսμ", "u"],
  ["ѵνṿ", "v"],
  ["ѡωŵա", "w"],
  ["хχ×", "x"],
  ["уγýÿŷүყ", "y"],
  ["źżžʐ", "z"],
]
const foldOf = new Map(foldings.flatMap(([from, to]) => [...from].map((char) => [char, to] as const)))

/** A name with everything that looks alike made the same. */
export function skeleton(host: string): string {
  const unicode = domainToUnicode(host) || host
  return [...unicode.normalize("NFKC").toLowerCase()]
    .map((char) => foldOf.get(char) ?? char)
    .join("")
    .replaceAll("rn", "m")
    .replaceAll("vv", "w")
    .replaceAll("cl", "d")
    .replaceAll("-", "")
}

/** The known host that a new one could be taken for; undefined: none. */
export function lookAlike(host: string, known: readonly string[]): string | undefined {
  const name = host.replace(/^\*\./, "")
  if (isAddress(name)) return undefined
  const others = [...new Set(known.map((one) => one.replace(/^\*\./, "")))].filter((one) => !isAddress(one))
  if (others.some((one) => one === name || related(one, name))) return undefined
  return others.find((one) => one.includes(".") && resembles(name, one))
}

/** One is below the other, or both are below one name: nobody else's host. */
function related(one: string, other: string): boolean {
  return domainOf(one) === domainOf(other)
}

function resembles(name: string, known: string): boolean {
  if (skeleton(name).replaceAll(".", "") === skeleton(known).replaceAll(".", "")) return true
  const [mine, theirs] = [domainOf(name), domainOf(known)]
  if (skeleton(mine) === skeleton(theirs)) return true
  // `api.github.com.evil.example`, `github-com.example`
  const inside = theirs.replaceAll(".", "-")
  if (name.startsWith(`${known}.`) || name.includes(`.${theirs}.`) || name.startsWith(`${theirs}.`)) return true
  if (name.split(".").some((label) => label === inside || label.startsWith(`${inside}-`))) return true
  const [a, b] = [mine.split(".")[0] ?? "", theirs.split(".")[0] ?? ""]
  // Another ending of the same name, or one slip of a finger.
  return b.length >= 4 && (a === b || (b.length >= 5 && editDistance(a, b) === 1))
}

/** The last two labels, or three below the common two-part endings: no list of all endings is carried. */
function domainOf(host: string): string {
  const labels = host.split(".")
  const short = /^(?:co|com|org|net|ac|gov|edu)$/.test(labels.at(-2) ?? "") && (labels.at(-1)?.length ?? 0) === 2
  return labels.slice(short ? -3 : -2).join(".")
}

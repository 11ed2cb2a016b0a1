/** Shortest secret that is looked for, and shortest of its encodings: less would star out ordinary text. */
const minSecret = 4
const minEncoded = 6

/**
 * Every form in which a secret is looked for: as it is, base64 and base64url at the three alignments, hex in both
 * cases, percent-encoded (as needed and wholly), JSON-escaped. A value `user:password` is looked for by its password
 * too, since Basic credentials are taken apart by who receives them.
 */
export function encodingsOf(secrets: Iterable<string>): Buffer[] {
  const forms = new Set<string>()
  for (const secret of secrets) {
    addForms(forms, secret)
    const colon = secret.indexOf(":")
    if (colon !== -1 && secret.length - colon - 1 >= 8) addForms(forms, secret.slice(colon + 1))
  }
  return [...forms].map((form) => Buffer.from(form, "latin1"))
}

/** Adds the forms as latin1 text, one character a byte. */
function addForms(forms: Set<string>, secret: string): void {
  const bytes = Buffer.from(secret, "utf8")
  if (bytes.length < minSecret) return
  const raw = bytes.toString("latin1")
  const hex = bytes.toString("hex")
  const percent = hex.replace(/../g, "%$&")
  const asNeeded = percentEncode(secret)
  forms.add(raw)
  for (const form of [
    ...base64Forms(bytes),
    ...[hex, hex.toUpperCase(), percent, percent.toUpperCase(), asNeeded, lowerPercent(asNeeded)],
    ...[jsonForm(secret), jsonForm(secret).replaceAll("/", "\\/"), asciiJsonForm(secret)],
  ]) {
    if (form.length >= minEncoded) forms.add(form)
  }
}

/**
 * The characters of base64 that depend on the secret alone, when 0, 1 or 2 bytes stand before it in its group of
 * three; with the url alphabet as well.
 */
function base64Forms(bytes: Buffer): string[] {
  const forms: string[] = []
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replaceAll("=", "")
    const first = Math.ceil((before * 8) / 6)
    const own = (before + bytes.length) % 3 === 0 ? text.slice(first) : text.slice(first, -1)
    forms.push(own, own.replaceAll("+", "-").replaceAll("/", "_"))
  }
  return forms
}

/** `encodeURIComponent`, which throws on a lone surrogate: such a value has no such form. */
function percentEncode(secret: string): string {
  try {
    return encodeURIComponent(secret)
  } catch {
    return ""
  }
}

const lowerPercent = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
const asLatin1 = (text: string) => Buffer.from(text, "utf8").toString("latin1")
const jsonForm = (secret: string) => asLatin1(JSON.stringify(secret).slice(1, -1))

/** JSON with everything outside ASCII, and what HTML minds, as `\uXXXX`. */
function asciiJsonForm(secret: string): string {
  return JSON.stringify(secret)
    .slice(1, -1)
    .replace(/[<>&'\x7f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

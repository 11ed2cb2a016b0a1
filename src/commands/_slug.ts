import { unknownSlug } from "../bottle/client.ts"
import { isSlug } from "../lib/slug.ts"

/** A slug from the command line, before it becomes part of a path. Throws `BottleError` (exit 5). */
export function checkSlug(text: string): string {
  if (!isSlug(text)) throw unknownSlug(text)
  return text
}

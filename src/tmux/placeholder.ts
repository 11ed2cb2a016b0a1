/** What a person writes into the status line, and what stands there once the plugin has loaded. */
const placeholder = "#{bottle_status}"
const published = "#{@bottle_status}"

/**
 * Lines where the placeholder becomes the pushed option. A user option is shown as it is, never expanded again; writing
 * it twice changes nothing, and a line without the placeholder is left alone.
 */
export const statusLines = ["status-left", "status-right"] as const

export function fillPlaceholder(value: string): string | undefined {
  return value.includes(placeholder) ? value.replaceAll(placeholder, published) : undefined
}

/** Two halves, so that a reader has to join them as it must with a real model. */
export function inPieces(text: string): string[] {
  const characters = [...text]
  const half = Math.ceil(characters.length / 2)
  return [characters.slice(0, half).join(""), characters.slice(half).join("")].filter((piece) => piece !== "")
}

/** One server-sent event. */
export function sse(data: unknown, event?: string): string {
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}

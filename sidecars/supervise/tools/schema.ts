/** The part of JSON Schema that the tools use: what a model is shown is what is checked. */
export type Schema =
  | { type: "string"; description?: string; minLength?: number; maxLength: number; enum?: readonly string[] }
  | { type: "integer"; description?: string; minimum: number; maximum: number }
  | { type: "array"; description?: string; items: Schema; minItems?: number; maxItems: number }
  | ObjectSchema

export interface ObjectSchema {
  type: "object"
  description?: string
  properties: Readonly<Record<string, Schema>>
  required: readonly string[]
  additionalProperties: false
}

/** What is wrong with a value, as one sentence that names the place; nothing when it fits. */
export function checkSchema(value: unknown, schema: Schema, place: string): string | undefined {
  switch (schema.type) {
    case "string":
      return checkText(value, schema, place)
    case "integer":
      return checkInteger(value, schema, place)
    case "array":
      return checkList(value, schema, place)
    case "object":
      return checkObject(value, schema, place)
  }
}

type Of<T extends Schema["type"]> = Extract<Schema, { type: T }>

function checkText(value: unknown, { minLength = 0, maxLength, enum: words }: Of<"string">, place: string) {
  if (typeof value !== "string") return `${place} must be a text.`
  if (value.length < minLength) return `${place} must not be empty.`
  if (value.length > maxLength) return `${place} has ${value.length} characters; at most ${maxLength} are taken.`
  if (!value.isWellFormed() || value.includes("\0")) return `${place} holds what is no character.`
  return words === undefined || words.includes(value) ? undefined : `${place} must be one of ${words.join(", ")}.`
}

function checkInteger(value: unknown, { minimum, maximum }: Of<"integer">, place: string) {
  const fits = Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum
  return fits ? undefined : `${place} must be a whole number from ${minimum} to ${maximum}.`
}

function checkList(value: unknown, { items, minItems = 0, maxItems }: Of<"array">, place: string) {
  if (!Array.isArray(value)) return `${place} must be a list.`
  if (value.length < minItems) return `${place} must not be empty: leave it out instead.`
  if (value.length > maxItems) return `${place} has ${value.length} entries; at most ${maxItems} are taken.`
  return firstOf(value.map((item: unknown, index) => () => checkSchema(item, items, `${place}[${index}]`)))
}

function checkObject(value: unknown, { properties, required }: ObjectSchema, place: string) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return `${place} must be an object.`
  const known = Object.keys(properties)
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown !== undefined) {
    return `${place} has no member ${JSON.stringify(unknown.slice(0, 60))}; it takes ${known.join(", ") || "none"}.`
  }
  const missing = required.find((key) => !Object.hasOwn(value, key))
  if (missing !== undefined) return `${place} needs ${missing}.`
  return firstOf(
    Object.entries(value).map(([key, item]: [string, unknown]) => () => {
      const schema = properties[key]
      return schema && checkSchema(item, schema, place === "arguments" ? key : `${place}.${key}`)
    }),
  )
}

/** Checks end with the first that finds something. */
function firstOf(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const wrong = check()
    if (wrong !== undefined) return wrong
  }
  return undefined
}

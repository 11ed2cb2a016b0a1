export type SchemaName = "bottle" | "agent" | "settings"

/** JSON Schema (draft-07, which editors support) of what may be written: the input side, before defaults. */
export async function jsonSchema(name: SchemaName): Promise<Record<string, unknown>> {
  const { z } = await import("zod")
  const schema = z.toJSONSchema(await schemaOf(name), { target: "draft-07", io: "input", unrepresentable: "any" })
  return { ...schema, title: `bot-bottle ${name}` }
}

async function schemaOf(name: SchemaName) {
  if (name === "bottle") return (await import("./schema/bottle.ts")).bottleSchema
  if (name === "agent") return (await import("./schema/agent.ts")).agentSchema
  return (await import("./schema/settings.ts")).settingsSchema
}

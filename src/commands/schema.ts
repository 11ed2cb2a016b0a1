import { defineCommand } from "./_command.ts"

export default defineCommand({
  meta: { name: "schema", description: "Print the JSON Schema of a kind of file" },
  args: {
    kind: {
      type: "positional",
      required: true,
      options: ["bottle", "agent", "settings"],
      description: "Which file",
    },
  },
  examples: ["bottle schema bottle > bottle.schema.json"],
  async run({ args, shell }) {
    const { jsonSchema } = await import("../manifest/json-schema.ts")
    shell.print(JSON.stringify(await jsonSchema(args.kind), null, 2))
    return 0
  },
})

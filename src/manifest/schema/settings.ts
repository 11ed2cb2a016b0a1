import * as z from "zod"
import { backendNames } from "../../backends/backend.ts"
import { argv, duration, slotName } from "./parts.ts"

const command = z.strictObject({ command: argv.describe("Program and arguments; its output is the secret.") })
const keyring = z.strictObject({ keyring: z.string().min(1).describe("Name in the system's keyring.") })

/** `settings.yml` (BEHAVIOUR 5). */
export const settingsSchema = z.strictObject({
  backend: z.enum(backendNames).exactOptional().describe("Where bottles run unless said otherwise."),
  secrets: z
    .record(slotName, z.union([command, keyring]))
    .exactOptional()
    .describe("Where a secret is found when the environment does not have it."),
  retention: z
    .strictObject({ logs: duration.exactOptional().describe("How long logs of ended bottles are kept, such as 30d.") })
    .exactOptional()
    .describe("What is kept and for how long."),
  notify: z
    .strictObject({ command: argv.exactOptional().describe("Run when a proposal arrives.") })
    .exactOptional()
    .describe("How the operator is told."),
})

import { join } from "node:path"
import type { GuestFile } from "../../sidecars/guest/protocol.ts"
import type { ProviderRequest } from "./provider.ts"

/** The agent's skills as files inside, in the folder where the CLI looks for them. */
export function skillFiles({ home, skills }: ProviderRequest, folder: string): GuestFile[] {
  return skills.flatMap(({ name, files }) =>
    files.map((file) => ({ ...file, path: join(home, folder, name, file.path) })),
  )
}

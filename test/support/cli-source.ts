/** Where a test's agent CLI comes from, and where its model is to be reached. */
export interface CliSource {
  /** Its CLI is put on the operator's PATH; else the bottle's image has it. */
  onPath: boolean
  /** Address of this machine that the bottle's sidecars reach. */
  address: string
  /** More of `agent_provider`, such as `, dockerfile: /x`. */
  provider: string
  /** More lines of the bottle's file. */
  bottle: string
}

export const onThisMachine: CliSource = { onPath: true, address: "127.0.0.1", provider: "", bottle: "" }

/** The host that agents ask more of: the model's server answers for it, below /asked. */
export const askedHost = "asked.test"

/** Its route, which permits nothing that anybody wants. */
export const askedRoute = ({ address }: CliSource, port: number, ca: string): string =>
  `    - host: ${askedHost}
      path_allowlist: [/asked/known]
      connect_to: ${address}:${port}
      ca: ${ca}
      allow_private: true`

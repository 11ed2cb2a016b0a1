/** What a program that uses the API says to the `bottle` it started, as one line on its stdin. */
export type ApiRequest =
  | {
      op: "start"
      agent: string
      prompt?: string | undefined
      bottles?: readonly string[] | undefined
      label?: string | undefined
      color?: string | undefined
      backend?: string | undefined
      copyCwd?: boolean | undefined
      cwd: string
      argv?: readonly string[] | undefined
      forgeEnv?: Readonly<Record<string, string>> | undefined
      /** Send the agent's output along. */
      output: boolean
    }
  | {
      op: "resume"
      slug: string
      prompt?: string | undefined
      backend?: string | undefined
      forgeEnv?: Readonly<Record<string, string>> | undefined
      output: boolean
    }
  | { op: "freeze"; slug: string }
  | { op: "destroy"; slug: string }
  | { op: "list" }

/** What `bottle` answers, lines on its stdout; `done` or `failed` is the last. `data` is base64. */
export type ApiReport =
  | { event: "output"; stream: "stdout" | "stderr"; data: string }
  | { event: "done"; value: unknown }
  | { event: "failed"; code: string; message: string; exitCode: number; hint?: string; slug?: string }

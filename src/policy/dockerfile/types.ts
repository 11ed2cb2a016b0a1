/** A Dockerfile that was read strictly: what is here is what every builder makes of the same text. */

export interface DockerInstruction {
  /** 1-based line where it begins. */
  line: number
  /** Upper case. */
  name: string
  /** Everything behind the name, continued lines joined. */
  text: string
}

export type StageBase =
  | { kind: "scratch" }
  | { kind: "stage"; index: number }
  /** `reference` with its ARGs filled in, as written otherwise. */
  | { kind: "image"; reference: string }

export interface DockerStage {
  /** 1-based line of its FROM. */
  line: number
  /** Lower case; absent where it has none. */
  name?: string
  base: StageBase
}

/** What an ADD or COPY takes its files from. */
export type CopySource =
  | StageBase
  /** Files of the build's context. */
  | { kind: "context" }
  /** A URL or a repository: the engine itself fetches it, whatever network the build has. */
  | { kind: "remote"; text: string }

export interface DockerCopy {
  line: number
  name: "ADD" | "COPY"
  source: CopySource
}

export interface ParsedDockerfile {
  kind: "ok"
  /** In order, the ARGs before the first FROM included. */
  instructions: readonly DockerInstruction[]
  stages: readonly DockerStage[]
  copies: readonly DockerCopy[]
}

export interface BadDockerfile {
  kind: "bad"
  /** 1-based. */
  line: number
  /** What is wrong, one sentence without a full stop; quotes text of the file at most in part. */
  message: string
}

import type { Vector } from "./vector.ts"

/** The harness itself: a permitted request arrives, with the operator's token. Else all that follows proves nothing. */
export const control: Vector = {
  name: "a permitted request",
  source: "own",
  gate: "egress: route",
  leak: "said",
  lang: "py",
  // It ends with the answer, so it may be waited for longer than what an attack waits for nothing.
  run: `ask("GET /public/ok HTTP/1.1\\r\\nHost: listed.example\\r\\nConnection: close\\r\\n\\r\\n", 6)`,
}

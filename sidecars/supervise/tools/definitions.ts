import { mostJustification, mostProposedFile, type ProposalTool } from "../../../src/proposals/types.ts"
import type { SuperviseSettings } from "../../control.ts"
import type { ObjectSchema } from "./schema.ts"

export type ToolName = ProposalTool | "list-egress-routes" | "proposal-status"

export interface Tool {
  name: ToolName
  title: string
  description: string
  inputSchema: ObjectSchema
}

/** Longest `wait_seconds`: clients are configured to let a call last for a day. */
export const longestWait = 12 * 60 * 60

const object = (properties: ObjectSchema["properties"], required: readonly string[]): ObjectSchema => ({
  ...{ type: "object", properties, required, additionalProperties: false },
})

const justification = {
  type: "string",
  description: "Why the task needs this, for the person who decides. Two or three plain sentences.",
  minLength: 1,
  maxLength: mostJustification,
} as const

const waiting =
  "A person decides, which can take minutes or hours: the call waits and returns what was decided. " +
  "status approved or modified: it is in force, repeat the refused request at once (final is what was granted, which " +
  "may be less than you asked for). rejected: notes say why; do not ask for the same again, go on another way. " +
  "pending: nobody has answered yet; use proposal-status with the id, or do other work first."

const egressBlock: Tool = {
  name: "egress-block",
  title: "Ask for a route",
  description:
    "Call this when a request was refused by egress: HTTP 403 whose JSON says gate egress, for example with reason " +
    "unlisted-host or no-match, or a program that says its proxy, CONNECT or tunnel failed with 403. It asks the " +
    "operator to let you reach one host, and there only the paths and methods " +
    "you name: ask for the least that the task needs, since narrow requests are granted sooner. A host that has a " +
    `route already is widened by what you name. list-egress-routes shows what is permitted now. ${waiting}`,
  inputSchema: object(
    {
      host: {
        type: "string",
        description:
          "The host alone, such as api.example.com: no https://, no path, no port. *.example.com means all its subdomains.",
        minLength: 1,
        maxLength: 300,
      },
      path_allowlist: {
        type: "array",
        description:
          "Path prefixes that you need, each from / on, such as /v1/models. A prefix ends at a / of the path. Left out: every path of the host.",
        items: { type: "string", minLength: 1, maxLength: 1024 },
        minItems: 1,
        maxItems: 32,
      },
      methods: {
        type: "array",
        description: "HTTP methods that you need, such as GET or POST. Left out: every method.",
        items: { type: "string", minLength: 1, maxLength: 32 },
        minItems: 1,
        maxItems: 16,
      },
      auth: {
        type: "object",
        description:
          "Only when the host needs a credential of the operator's. It is added outside; you never see it. Name one that the operator told you of. Left out for a host that has a route: its credential stays.",
        properties: {
          scheme: {
            type: "string",
            description: "Bearer, token, Basic, or header:Name for a header of its own.",
            minLength: 1,
            maxLength: 80,
          },
          token_ref: {
            type: "string",
            description: "Name of the credential, such as API_TOKEN. Never a credential itself.",
            minLength: 1,
            maxLength: 80,
          },
        },
        required: ["scheme", "token_ref"],
        additionalProperties: false,
      },
      justification,
    },
    ["host", "justification"],
  ),
}

const pipelockBlock: Tool = {
  name: "pipelock-block",
  title: "Ask for a whole host",
  description:
    "Asks the operator to put the whole host of a refused https URL on the allowlist: every path and method, without " +
    "any credential of the operator's. Use it for hosts that you read many different pages of, such as documentation; " +
    `otherwise egress-block, which asks for less, is granted sooner. ${waiting}`,
  inputSchema: object(
    {
      failed_url: {
        type: "string",
        description: "The https URL that was refused, in full.",
        minLength: 1,
        maxLength: 4096,
      },
      justification,
    },
    ["failed_url", "justification"],
  ),
}

const capabilityBlock: Tool = {
  name: "capability-block",
  title: "Ask for another image",
  description:
    "Call this when a program or library is missing that cannot be had over the network permitted to you. Give the " +
    "whole Dockerfile as it should be: begin with /etc/bot-bottle/current-config/Dockerfile and change as little as you " +
    "can. FROM and COPY --from may name only the images that it names today; the build has no context and, unless the " +
    "operator says otherwise, no network. When it is approved this session ends and is continued in the new image, with " +
    `your files and conversation kept. ${waiting}`,
  inputSchema: object(
    {
      dockerfile: {
        type: "string",
        description: "The complete Dockerfile, not a difference.",
        minLength: 1,
        maxLength: mostProposedFile,
      },
      justification,
    },
    ["dockerfile", "justification"],
  ),
}

const listRoutes: Tool = {
  name: "list-egress-routes",
  title: "What may be reached",
  description:
    "Shows at once, as YAML, which hosts, paths and methods are permitted now, in the words that egress-block takes, " +
    "and the allowlist of whole hosts. Asks nobody.",
  inputSchema: object({}, []),
}

const proposalStatus: Tool = {
  name: "proposal-status",
  title: "What became of a proposal",
  description:
    "Tells what was decided about a proposal that was pending, by the id that its call returned. With wait_seconds it " +
    "waits that long for a decision; without it, it answers at once.",
  inputSchema: object(
    {
      id: {
        type: "string",
        description: "The id, such as p0k3x9m2ab1.",
        minLength: 1,
        maxLength: 64,
      },
      wait_seconds: {
        type: "integer",
        description: "How long to wait for a decision. Default 0.",
        minimum: 0,
        maximum: longestWait,
      },
    },
    ["id"],
  ),
}

/** The tools of one bottle: without images there is no other image to ask for. */
export function toolsFor({ image }: Pick<SuperviseSettings, "image">): readonly Tool[] {
  return [egressBlock, pipelockBlock, ...(image === null ? [] : [capabilityBlock]), listRoutes, proposalStatus]
}

/** Sent on initialisation: what a model should know before the first refusal. */
export const instructions =
  "You work in a sealed bottle: everything you send out is checked, and what its policy does not name is refused with " +
  "HTTP 403 and a text that says why (of a host over https, some programs say only that a tunnel or proxy failed with " +
  "403). That is no error to work around. When the task needs it, ask with egress-block " +
  "(one host, least paths and methods) or pipelock-block (a whole host), then repeat the request once it is approved."

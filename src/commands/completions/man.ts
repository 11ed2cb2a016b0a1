import { ExitCode, type ExitCodeName } from "../../lib/errors.ts"
import type { CommandTree, FlagTree, PlaceTree } from "./tree.ts"

/** The man page `bottle(1)`, in roff's man macros, from the command tree alone. */
export function manPage(tree: readonly CommandTree[], version: string): string {
  return `${[
    `.TH BOTTLE 1 "" ${quoted(`bottle ${version}`)} "User Commands"`,
    ".SH NAME",
    "bottle \\- run any coding agent as if it were already compromised",
    ".SH SYNOPSIS",
    ".B bottle",
    "\\fIcommand\\fR [\\fIflags\\fR]",
    ".SH COMMANDS",
    ...tree.flatMap(commandPart),
    ".SH EXIT STATUS",
    ...Object.entries(exitStatus).flatMap(([name, said]) => [
      ".TP",
      `.B ${ExitCode[name as ExitCodeName]}`,
      text(said),
    ]),
    ".SH ENVIRONMENT",
    ...environment.flatMap(([name, said]) => [".TP", `.B ${name}`, text(said)]),
    ".SH FILES",
    ".TP",
    ".I ~/.bot-bottle",
    "Agents, bottle files, settings, and the state, logs and audit of every bottle.",
  ].join("\n")}\n`
}

const exitStatus: Readonly<Record<ExitCodeName, string>> = {
  ok: "Done.",
  failed: "Failed.",
  usage: "A mistake on the command line.",
  badManifest: "A manifest or settings file is not right.",
  missingPart: "Something is missing on this machine.",
  notFound: "Not found.",
  denied: "Refused, or decided otherwise.",
  pending: "Still pending.",
  integrity: "An integrity check failed.",
  ourFailure: "bottle failed where the agent's own exit code would be passed on.",
  cancelled: "Cancelled.",
}

const environment = [
  ["BOT_BOTTLE_HOME", "Where everything is kept, instead of ~/.bot-bottle."],
  ["BOT_BOTTLE_BACKEND", "Where bottles run when --backend is not given."],
  ["BOT_BOTTLE_DRY_RUN", "1: start and resume show the plan and stop."],
  ["BOT_BOTTLE_CONTAINER_HOME", "The agent's home inside, instead of /home/node."],
  ["NO_COLOR", "Set to anything: no colour."],
] as const

function commandPart({ name, description, places, flags, rest, examples }: CommandTree): string[] {
  const words = places.map((place) => (place.required ? upper(place) : `[${upper(place)}]`))
  const beyond = rest === undefined ? [] : [`[-- ${rest.name.toUpperCase()}...]`]
  return [
    `.SS ${quoted(["bottle", name, ...words, "[flags]", ...beyond].join(" "))}`,
    `${text(description)}.`,
    ...places.flatMap((place) => [".TP", `.I ${upper(place)}`, text(place.description)]),
    ...(rest === undefined ? [] : [".TP", `.I "\\-\\- ${rest.name.toUpperCase()}..."`, text(rest.description)]),
    ...flags.filter(({ long }) => long !== "help").flatMap(flagPart),
    ...(examples.length === 0 ? [] : [".PP", ".nf", ...examples.map((line) => `    ${text(line)}`), ".fi"]),
  ]
}

function flagPart({ long, short, description, value }: FlagTree): string[] {
  const letter = short === undefined ? "" : `\\-${short}, `
  const takes = value === undefined ? "" : ` \\fI${long.toUpperCase().replaceAll("-", "\\-")}\\fR`
  const words = value?.kind === "words" ? `: ${value.words.join(", ")}` : ""
  return [".TP", `\\fB${letter}\\-\\-${long.replaceAll("-", "\\-")}\\fR${takes}`, text(`${description}${words}`)]
}

function upper({ name }: PlaceTree): string {
  return name.toUpperCase()
}

/** A line that starts with a dot or quote is a request to roff, a backslash an escape, a bare hyphen a dash. */
function text(said: string): string {
  return said.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/, "\\&$&")
}

function quoted(said: string): string {
  return `"${text(said).replaceAll('"', "\\(dq")}"`
}

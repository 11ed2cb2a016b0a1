import type { Choice, CommandTree, FlagTree, PlaceTree } from "./tree.ts"

/** Completion for zsh: a file named `_bottle` on fpath, or read by `source` after compinit. */
export function zshCompletion(tree: readonly CommandTree[]): string {
  return `#compdef bottle
# zsh completion for bottle; made from its commands, do not edit
_bottle() {
  local curcontext=$curcontext state line program=$words[1]
  typeset -A opt_args
  _arguments -C '--help[Say what it does]' '--version[Print the version]' '1:command:_bottle_commands' '*::argument:->of'
  [[ $state == of ]] || return
  integer dashes=\${words[(i)--]}
  if (( dashes < CURRENT )); then
    shift $dashes words
    (( CURRENT -= dashes ))
    _normal
    return
  fi
  case $line[1] in
${tree.map(commandCase).join("\n")}
    help) _bottle_commands ;;
  esac
}

_bottle_commands() {
  local -a commands=(
${tree.map(({ name, description }) => `    ${quote(`${name}:${description}`)}`).join("\n")}
  )
  _describe command commands
}

_bottle_names() {
  local -a names=(\${(f)"$(_call_program names \${(q)program} __complete "$@" 2>/dev/null)"})
  compadd -a names
}

${tree.flatMap(nameFunctions).filter(unique).join("\n")}

if [[ $funcstack[1] == _bottle ]]; then _bottle "$@"; else compdef _bottle bottle; fi
`
}

function commandCase({ name, flags, places }: CommandTree): string {
  const specs = [...flags.flatMap(flagSpecs), ...places.map(placeSpec)]
  return [`    ${name})`, `      _arguments -S \\`, `        ${specs.join(" \\\n        ")} ;;`].join("\n")
}

function flagSpecs({ long, short, description, value, repeats }: FlagTree): string[] {
  const tail = value === undefined ? "" : `:${long}:${action(value)}`
  const said = `[${escaped(description)}]`
  const star = repeats ? "*" : ""
  const specs = [quote(`${star}--${long}${value === undefined ? "" : "="}${said}${tail}`)]
  if (short !== undefined) specs.push(quote(`${star}-${short}${said}${tail}`))
  return specs
}

function placeSpec({ name, choice, required }: PlaceTree, index: number): string {
  return quote(`${index + 1}:${required ? "" : ":"}${name}:${action(choice)}`)
}

function action(choice: Choice): string {
  if (choice.kind === "words") return `(${choice.words.join(" ")})`
  if (choice.kind === "names") return nameFunction(choice.of)
  return choice.kind === "files" ? "_files" : " "
}

function nameFunction(of: readonly string[]): string {
  return `_bottle_${of.join("_")}`
}

function nameFunctions({ flags, places }: CommandTree): string[] {
  const choices = [...flags.map(({ value }) => value), ...places.map(({ choice }) => choice)]
  return choices.flatMap((choice) =>
    choice?.kind === "names" ? [`${nameFunction(choice.of)}() { _bottle_names ${choice.of.join(" ")} }`] : [],
  )
}

function unique(text: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(text) === index
}

/** `_arguments` reads brackets and colons in a description. */
function escaped(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, "\\$&")
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

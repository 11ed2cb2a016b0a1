import type { Choice, CommandTree } from "./tree.ts"

/**
 * Completion for bash 3.2 and newer. Names come from `bottle __complete`, which prints nothing that a shell could
 * expand: `compgen -W` expands what it is given.
 */
export function bashCompletion(tree: readonly CommandTree[]): string {
  const names = tree.map(({ name }) => name).join(" ")
  return `# bash completion for bottle; made from its commands, do not edit
_bottle() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  local index place=0 word skip=
  COMPREPLY=()
  # bash splits --flag=value into three words.
  if [[ $current == = ]]; then current=
  elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if ((COMP_CWORD == 1)); then
    _bottle_words "${names} help --help --version"
    return
  fi
  if [[ $command == help ]]; then
    ((COMP_CWORD == 2)) && _bottle_words "${names}"
    return
  fi
  for ((index = 2; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ $word == -- ]]; then
      _bottle_beyond "$index"
      return
    elif [[ $skip ]]; then skip=
    elif [[ $word == = ]]; then skip=1
    elif [[ $word == -* ]]; then _bottle_takes "$command $word" && [[ \${COMP_WORDS[index+1]} != = ]] && skip=1
    else place=$((place + 1)); fi
  done
  case "$command $previous" in
${tree.flatMap(flagCases).join("\n")}
  esac
  if [[ $current == -* ]]; then
    case $command in
${tree.map(({ name, flags }) => `      ${name}) _bottle_words "${flags.map(({ long }) => `--${long}`).join(" ")}" ;;`).join("\n")}
    esac
    return
  fi
  case "$command $place" in
${tree.flatMap(placeCases).join("\n")}
  esac
}

_bottle_takes() {
  case $1 in
${tree.flatMap(takingCases).join("\n")}
  esac
  return 1
}

_bottle_words() { COMPREPLY=($(compgen -W "$1" -- "$current")); }
_bottle_names() { COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" __complete "$@" 2>/dev/null)" -- "$current")); }
_bottle_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$current"))
}
_bottle_beyond() {
  local IFS=$'\\n'
  if ((COMP_CWORD == $1 + 1)); then COMPREPLY=($(compgen -c -- "$current")); else _bottle_files; fi
}

complete -F _bottle bottle
`
}

function flagCases({ name, flags }: CommandTree): string[] {
  return flags.flatMap(({ long, short, value }) => {
    if (value === undefined) return []
    const pattern = [`'${name} --${long}'`, ...(short === undefined ? [] : [`'${name} -${short}'`])].join(" | ")
    return [`    ${pattern}) ${reply(value)}; return ;;`]
  })
}

function takingCases({ name, flags }: CommandTree): string[] {
  const taking = flags.filter(({ value }) => value !== undefined)
  if (taking.length === 0) return []
  const patterns = taking.flatMap(({ long, short }) => [
    `'${name} --${long}'`,
    ...(short === undefined ? [] : [`'${name} -${short}'`]),
  ])
  return [`    ${patterns.join(" | ")}) return 0 ;;`]
}

function placeCases({ name, places }: CommandTree): string[] {
  return places.flatMap(({ choice }, index) =>
    choice.kind === "text" ? [] : [`    '${name} ${index}') ${reply(choice)} ;;`],
  )
}

function reply(choice: Choice): string {
  if (choice.kind === "words") return `_bottle_words "${choice.words.join(" ")}"`
  if (choice.kind === "names") return `_bottle_names ${choice.of.join(" ")}`
  return choice.kind === "files" ? "_bottle_files" : ":"
}

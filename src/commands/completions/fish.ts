import type { Choice, CommandTree } from "./tree.ts"

/** Completion for fish: a file in its completions folder. */
export function fishCompletion(tree: readonly CommandTree[]): string {
  const names = tree.map(({ name }) => name).join(" ")
  return `# fish completion for bottle; made from its commands, do not edit
function __bottle_at --argument-names command place
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $command; or return 1
    contains -- -- $words; and return 1
    set -l seen 0
    set -l skip 0
    for word in $words[3..]
        if test $skip = 1
            set skip 0
        else if string match -q -- '-*' $word
            contains -- "$command $word" $__bottle_taking; and set skip 1
        else
            set seen (math $seen + 1)
        end
    end
    test $seen = $place
end

function __bottle_names
    set -l words (commandline -opc)
    $words[1] __complete $argv 2>/dev/null
end

function __bottle_beyond
    contains -- -- (commandline -opc)
end

function __bottle_rest
    set -l words (commandline -opc)
    set -l after (math (contains -i -- -- $words) + 1)
    set -l rest (commandline -ct)
    test $after -le (count $words); and set -p rest $words[$after..]
    complete -C (string join ' ' -- (string escape -- $rest))
end

set -g __bottle_taking ${tree.flatMap(taking).map(quote).join(" ")}

complete -c bottle -f
complete -c bottle -n '__fish_is_nth_token 1' -a 'help' -d 'Say what a command does'
complete -c bottle -n '__bottle_at help 0' -a '${names}'
complete -c bottle -n '__fish_is_nth_token 1' -l help -d 'Say what it does'
complete -c bottle -n '__fish_is_nth_token 1' -l version -d 'Print the version'
complete -c bottle -n '__bottle_beyond' -a '(__bottle_rest)'
${tree.flatMap(commandLines).join("\n")}
`
}

function commandLines({ name, description, flags, places }: CommandTree): string[] {
  const seen = `__fish_seen_subcommand_from ${name}; and not __bottle_beyond`
  return [
    `complete -c bottle -n '__fish_is_nth_token 1' -a ${name} -d ${quote(description)}`,
    ...flags.map(({ long, short, description: said, value }) => {
      const letter = short === undefined ? "" : ` -s ${short}`
      const takes = value === undefined ? "" : ` ${value.kind === "files" ? "-r -F" : `-x${words(value)}`}`
      return `complete -c bottle -n '${seen}' -l ${long}${letter}${takes} -d ${quote(said)}`
    }),
    ...places.flatMap(({ choice, name: place }, index) => {
      const at = `complete -c bottle -n '__bottle_at ${name} ${index}'`
      if (choice.kind === "text") return []
      return choice.kind === "files" ? [`${at} -F`] : [`${at}${words(choice)} -d ${quote(place)}`]
    }),
  ]
}

function taking({ name, flags }: CommandTree): string[] {
  return flags.flatMap(({ long, short, value }) =>
    value === undefined ? [] : [`${name} --${long}`, ...(short === undefined ? [] : [`${name} -${short}`])],
  )
}

function words(choice: Choice): string {
  if (choice.kind === "words") return ` -a ${quote(choice.words.join(" "))}`
  return choice.kind === "names" ? ` -a '(__bottle_names ${choice.of.join(" ")})'` : ""
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
}

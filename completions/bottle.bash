# bash completion for bottle; made from its commands, do not edit
_bottle() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  local index place=0 word skip=
  COMPREPLY=()
  # bash splits --flag=value into three words.
  if [[ $current == = ]]; then current=
  elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi
  if ((COMP_CWORD == 1)); then
    _bottle_words "demo init build start attach exec diff pull cp forward logs dashboard proposals review routes allowlist undo stop freeze commit resume destroy cleanup list info edit secret audit schema doctor tmux completions help --help --version"
    return
  fi
  if [[ $command == help ]]; then
    ((COMP_CWORD == 2)) && _bottle_words "demo init build start attach exec diff pull cp forward logs dashboard proposals review routes allowlist undo stop freeze commit resume destroy cleanup list info edit secret audit schema doctor tmux completions"
    return
  fi
  for ((index = 2; index < COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ $word == -- ]]; then
      _bottle_beyond "$index"
      return
    elif [[ $skip ]]; then skip=
    elif [[ $word == = ]]; then skip=1
    elif [[ $word == -* ]]; then _bottle_takes "$command $word" && [[ ${COMP_WORDS[index+1]} != = ]] && skip=1
    else place=$((place + 1)); fi
  done
  case "$command $previous" in
    'demo --backend') _bottle_words "namespace docker smolmachines macos-container qemu"; return ;;
    'init --agent') _bottle_names agents; return ;;
    'init --bottle') _bottle_names bottles; return ;;
    'build --base-image') :; return ;;
    'start --bottle') _bottle_names bottles; return ;;
    'start --label') :; return ;;
    'start --color') _bottle_words "black red green yellow blue magenta cyan white gray redBright greenBright yellowBright blueBright magentaBright cyanBright whiteBright"; return ;;
    'start --backend') _bottle_words "namespace docker smolmachines macos-container qemu"; return ;;
    'start --prompt') :; return ;;
    'start --first') :; return ;;
    'pull --into') _bottle_files; return ;;
    'pull --branch') :; return ;;
    'pull --max-size') :; return ;;
    'cp --max-size') :; return ;;
    'logs --source') _bottle_words "bringup sidecars teardown egress"; return ;;
    'proposals --bottle') _bottle_names slugs; return ;;
    'proposals --for') :; return ;;
    'proposals --note') :; return ;;
    'proposals --reason') :; return ;;
    'proposals --file') _bottle_files; return ;;
    'proposals --with-credential-to') :; return ;;
    'proposals --proposal-hash') :; return ;;
    'routes --file') _bottle_files; return ;;
    'allowlist --file') _bottle_files; return ;;
    'resume --prompt') :; return ;;
    'cleanup --older-than') :; return ;;
    'audit --component') _bottle_words "egress pipelock git-gate capability fence session"; return ;;
    'audit --format') _bottle_words "jsonl csv cef ocsf"; return ;;
    'audit --since') :; return ;;
    'audit --expect') :; return ;;
    'audit --public-key') :; return ;;
    'tmux --file') _bottle_files; return ;;
    'tmux --pane') :; return ;;
    'tmux --client') :; return ;;
    'tmux --ask') :; return ;;
  esac
  if [[ $current == -* ]]; then
    case $command in
      demo) _bottle_words "--backend --json --help" ;;
      init) _bottle_words "--agent --bottle --json --help" ;;
      build) _bottle_words "--base-image --json --help" ;;
      start) _bottle_words "--bottle --label --color --backend --cwd --discard --dry-run --json --yes --headless --prompt --first --help" ;;
      attach) _bottle_words "--help" ;;
      exec) _bottle_words "--interactive --tty --help" ;;
      diff) _bottle_words "--stat --name-only --ignored --json --help" ;;
      pull) _bottle_words "--into --branch --wip --allow-leaks --max-size --json --help" ;;
      cp) _bottle_words "--force --max-size --json --help" ;;
      forward) _bottle_words "--help" ;;
      logs) _bottle_words "--source --follow --help" ;;
      dashboard) _bottle_words "--once --help" ;;
      proposals) _bottle_words "--bottle --all --once --for --save --network --rebuild-now --note --reason --file --with-credential-to --proposal-hash --yes --json --help" ;;
      review) _bottle_words "--help" ;;
      routes) _bottle_words "--file --json --help" ;;
      allowlist) _bottle_words "--file --json --help" ;;
      undo) _bottle_words "--json --help" ;;
      stop) _bottle_words "--json --help" ;;
      freeze) _bottle_words "--yes --json --help" ;;
      commit) _bottle_words "--yes --json --help" ;;
      resume) _bottle_words "--dry-run --json --headless --prompt --help" ;;
      destroy) _bottle_words "--yes --help" ;;
      cleanup) _bottle_words "--yes --dry-run --json --preserved --images --older-than --help" ;;
      list) _bottle_words "--json --help" ;;
      info) _bottle_words "--json --help" ;;
      edit) _bottle_words "--help" ;;
      secret) _bottle_words "--json --help" ;;
      audit) _bottle_words "--component --format --since --expect --public-key --json --help" ;;
      schema) _bottle_words "--help" ;;
      doctor) _bottle_words "--json --help" ;;
      tmux) _bottle_words "--file --yes --pane --client --ask --help" ;;
      completions) _bottle_words "--help" ;;
    esac
    return
  fi
  case "$command $place" in
    'start 0') _bottle_names agents ;;
    'attach 0') _bottle_names slugs ;;
    'exec 0') _bottle_names slugs ;;
    'diff 0') _bottle_names slugs ;;
    'pull 0') _bottle_names slugs ;;
    'forward 0') _bottle_names slugs ;;
    'logs 0') _bottle_names slugs ended ;;
    'proposals 0') _bottle_words "list show approve modify reject watch" ;;
    'proposals 1') _bottle_names proposals ;;
    'review 0') _bottle_names proposals ;;
    'routes 0') _bottle_words "show edit" ;;
    'routes 1') _bottle_names slugs ;;
    'allowlist 0') _bottle_words "show edit" ;;
    'allowlist 1') _bottle_names slugs ;;
    'undo 1') _bottle_names slugs ;;
    'stop 0') _bottle_names slugs ;;
    'freeze 0') _bottle_names slugs ;;
    'commit 0') _bottle_names slugs ;;
    'resume 0') _bottle_names slugs ;;
    'destroy 0') _bottle_names slugs ;;
    'list 0') _bottle_words "active agents bottles" ;;
    'info 0') _bottle_names agents bottles slugs ;;
    'edit 0') _bottle_names agents bottles ;;
    'secret 0') _bottle_words "set list rm" ;;
    'audit 0') _bottle_words "show verify export" ;;
    'audit 1') _bottle_names slugs ended ;;
    'schema 0') _bottle_words "bottle agent settings" ;;
    'tmux 0') _bottle_words "load install uninstall start dashboard next attach stop logs routes ask pick hold" ;;
    'completions 0') _bottle_words "bash zsh fish man" ;;
  esac
}

_bottle_takes() {
  case $1 in
    'demo --backend') return 0 ;;
    'init --agent' | 'init --bottle') return 0 ;;
    'build --base-image') return 0 ;;
    'start --bottle' | 'start --label' | 'start --color' | 'start --backend' | 'start --prompt' | 'start --first') return 0 ;;
    'pull --into' | 'pull --branch' | 'pull --max-size') return 0 ;;
    'cp --max-size') return 0 ;;
    'logs --source') return 0 ;;
    'proposals --bottle' | 'proposals --for' | 'proposals --note' | 'proposals --reason' | 'proposals --file' | 'proposals --with-credential-to' | 'proposals --proposal-hash') return 0 ;;
    'routes --file') return 0 ;;
    'allowlist --file') return 0 ;;
    'resume --prompt') return 0 ;;
    'cleanup --older-than') return 0 ;;
    'audit --component' | 'audit --format' | 'audit --since' | 'audit --expect' | 'audit --public-key') return 0 ;;
    'tmux --file' | 'tmux --pane' | 'tmux --client' | 'tmux --ask') return 0 ;;
  esac
  return 1
}

_bottle_words() { COMPREPLY=($(compgen -W "$1" -- "$current")); }
_bottle_names() { COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" __complete "$@" 2>/dev/null)" -- "$current")); }
_bottle_files() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$current"))
}
_bottle_beyond() {
  local IFS=$'\n'
  if ((COMP_CWORD == $1 + 1)); then COMPREPLY=($(compgen -c -- "$current")); else _bottle_files; fi
}

complete -F _bottle bottle

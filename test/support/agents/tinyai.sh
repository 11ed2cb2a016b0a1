#!/bin/sh
# A CLI that no provider of ours knows: `tinyai ask [--continue] --prompt=TEXT` and `tinyai talk [--continue]`.
mode=$1
shift
log=$HOME/.tinyai/sessions/log
mkdir -p "$(dirname "$log")"
for argument in "$@"; do
  case $argument in
    --continue) [ -s "$log" ] && earlier=$(tr '\n' ' ' <"$log") ;;
    --prompt=*) prompt=${argument#--prompt=} ;;
  esac
done
answer() {
  echo "asked: $1" >>"$log"
  system="$(cat "$TINY_SYSTEM") $earlier"
  curl -s -H "Authorization: Bearer $TINY_TOKEN" -H 'Content-Type: application/json' \
    -d "{\"messages\":[{\"role\":\"system\",\"content\":\"$system\"},{\"role\":\"user\",\"content\":\"$1\"}]}" \
    https://api.tiny.example/v1/chat/completions | sed 's/.*"content":"\([^"]*\)".*/\1\n/'
}
case $mode in
  ask)
    cat "$HOME/.tinyai/config.json"
    answer "$prompt"
    ;;
  talk)
    echo "tiny is listening${earlier:+, having been $earlier}"
    while read -r line; do answer "$line"; done
    ;;
esac

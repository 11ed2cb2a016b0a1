#!/bin/sh
# The tmux plugin: find the binary and hand over. Everything else (options, keys, status line) is `bottle tmux load`.
# TPM throws away what this prints, so whatever the operator must know goes through display-message.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

say() {
  # Nothing but our own words and paths of the operator's: `#` is doubled, since tmux runs #(…) in messages.
  tmux display-message -d 8000 "bottle: $(printf '%s' "$1" | sed 's/#/##/g')"
}

find_binary() {
  wanted=$(tmux show-option -gqv @bottle-bin)
  if [ -n "$wanted" ] && [ "$wanted" != none ]; then
    if [ -x "$wanted" ]; then printf '%s\n' "$wanted"; fi
    return
  fi
  for candidate in "$(command -v bottle)" "$HOME/.local/bin/bottle" /opt/homebrew/bin/bottle /usr/local/bin/bottle; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
}

bottle=$(find_binary)
if [ -z "$bottle" ]; then
  say "the binary is not installed; run $here/install.sh, or set @bottle-bin to where it is"
  exit 0
fi

installed=$("$bottle" --version 2>/dev/null)
expected=$(sed -n 's/^  "version": "\(.*\)",$/bottle \1/p' "$here/package.json" 2>/dev/null)
if [ -n "$expected" ] && [ "$installed" != "$expected" ]; then
  say "$bottle is ${installed:-broken}, the plugin is ${expected#bottle }; run $here/install.sh"
fi

"$bottle" tmux load

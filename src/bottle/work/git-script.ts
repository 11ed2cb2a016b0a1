/**
 * The beginning of every script that runs git over a tree which somebody else wrote (SECURITY 9). It runs in a sealed
 * sandbox; beyond that, none of the tree's own settings act: each script uses a git directory of its own, in which the
 * attributes that would change or hide content are off, and no transport, hook or lazy fetch exists.
 */
export const gitPrologue = `set -euo pipefail
cat > /tmp/gitconfig <<'END'
[safe]
	directory = *
	bareRepository = all
[core]
	fsmonitor = false
	hooksPath = /dev/null
	protectNTFS = false
	protectHFS = false
	compression = 0
	bigFileThreshold = 32m
	untrackedCache = false
	splitIndex = false
[gc]
	auto = 0
[maintenance]
	auto = false
[protocol]
	allow = never
[diff]
	suppressBlankEmpty = false
[user]
	name = bottle
	email = bottle@localhost
END
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/tmp/gitconfig GIT_ATTR_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export GIT_ALLOW_PROTOCOL=none GIT_NO_LAZY_FETCH=1 GIT_NO_REPLACE_OBJECTS=1 GIT_OPTIONAL_LOCKS=0 GIT_PAGER=cat
# A git directory of our own at $1, which finds objects in the other places as well.
own() {
  env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE git init -q --bare --template= "$1"
  mkdir -p "$1/info"
  echo '* -text -ident !eol !filter !diff !merge !working-tree-encoding' > "$1/info/attributes"
  : > "$1/info/exclude"
  local at
  for at in "\${@:2}"; do if [ -d "$at" ]; then echo "$at" >> "$1/objects/info/alternates"; fi; done
}
# Every file and link below the working directory, but for what is in a .git, and files that would take for ever to hash:
# a terabyte of nothing costs nobody a byte.
small='-size -4194304k'
files() { find . -xdev -iname .git -prune -o '(' -type f $small -o -type l ')' -printf '%P\\0' | LC_ALL=C sort -z; }
`

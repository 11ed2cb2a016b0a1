#!/bin/sh
# Install `bottle` for the current user, or take it away again.
#   ./install.sh              build it from this checkout and install it; then print the next step
#   ./install.sh --demo       the same, then run `bottle demo`
#   ./install.sh --uninstall  remove what this script installed; your agents, bottles and their work stay
# BOTTLE_VERSION=1.2.3 installs that release instead of building: its checksum must match.
# Shell start-up files and tmux.conf are never edited.
set -eu

main() {
  demo=no
  uninstall=no
  for word in "$@"; do
    case $word in
      --demo) demo=yes ;;
      --uninstall) uninstall=yes ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && fail 2 "unknown argument: $word" ;;
    esac
  done
  : "${HOME:?HOME is not set}"
  here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
  directory=${BOTTLE_INSTALL_DIR:-$HOME/.local/bin}
  data=${XDG_DATA_HOME:-$HOME/.local/share}
  bash_file=$data/bash-completion/completions/bottle
  fish_file=${XDG_CONFIG_HOME:-$HOME/.config}/fish/completions/bottle.fish
  man_file=$data/man/man1/bottle.1

  if [ "$uninstall" = yes ]; then
    remove
    exit 0
  fi
  before=$("$directory/bottle" --version 2>/dev/null || true)
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  if [ -n "${BOTTLE_VERSION:-}" ]; then download; else build; fi
  place
  completions
  system_packages
  path_hint
  report
  rm -rf "$scratch"
  trap - EXIT
  if [ "$demo" = yes ]; then
    exec "$directory/bottle" demo
  fi
  say "next: bottle demo; in tmux: bottle tmux install"
}

usage() {
  echo "usage: ./install.sh [--demo | --uninstall]"
  echo "  --demo              run \`bottle demo\` after installing"
  echo "  --uninstall         remove bottle, its completions and man page; what is in ~/.bot-bottle stays"
  echo "  BOTTLE_INSTALL_DIR  where to put bottle (default ~/.local/bin)"
  echo "  BOTTLE_VERSION      a release to download instead of building, such as 1.2.3"
  echo "  BOTTLE_RELEASES     where releases are (default: those of this checkout's origin on GitHub)"
}

say() {
  printf '%s\n' "$*" >&2
}

fail() {
  code=$1
  shift
  say "error: $*"
  exit "$code"
}

has() {
  command -v "$1" >/dev/null 2>&1
}

build() {
  has npm || fail 4 "npm is needed to build bottle; install Node.js 20 or newer, then run this again"
  # A second run is quick: npm writes this file last, so it is newer than the lock of a finished install.
  if [ -z "$(find "$here/node_modules/.package-lock.json" -newer "$here/package-lock.json" 2>/dev/null)" ]; then
    say "installing dependencies"
    # --include=dev: the compiler is one, also where NODE_ENV says production.
    (cd "$here" && npm ci --include=dev --no-fund --no-audit --no-update-notifier --loglevel=error >&2)
  fi
  say "building"
  (cd "$here" && npm run --silent build >&2)
  built=$here/dist/bottle
}

# A release's binary and SHA256SUMS. Without a matching sum nothing is installed, whatever else went well.
download() {
  case $BOTTLE_VERSION in
    *[!0-9A-Za-z.+-]* | .* | -*) fail 2 "BOTTLE_VERSION is no version: $BOTTLE_VERSION" ;;
  esac
  name=bottle-$(platform)
  from=$(releases)/v$BOTTLE_VERSION
  say "downloading $name $BOTTLE_VERSION"
  fetch "$from/SHA256SUMS" "$scratch/SHA256SUMS" || fail 1 "$from/SHA256SUMS cannot be had; nothing was installed"
  wanted=$(sed -n "s/^\\([0-9a-f]\\{64\\}\\)  *\\**$name\$/\\1/p" "$scratch/SHA256SUMS" | head -n 1)
  [ -n "$wanted" ] || fail 1 "SHA256SUMS of $BOTTLE_VERSION has no sum for $name; nothing was installed"
  fetch "$from/$name" "$scratch/$name" || fail 1 "$from/$name cannot be had; nothing was installed"
  found=$(checksum "$scratch/$name")
  [ "$found" = "$wanted" ] || fail 1 "$name has the checksum $found, not $wanted; nothing was installed"
  chmod 755 "$scratch/$name"
  said=$("$scratch/$name" --version 2>/dev/null || true)
  [ "$said" = "bottle $BOTTLE_VERSION" ] || fail 1 "$name says that it is ${said:-nothing}, not bottle $BOTTLE_VERSION"
  built=$scratch/$name
}

platform() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) fail 4 "there is no release for $(uname -s); build from source: unset BOTTLE_VERSION" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) echo "$system-x64" ;;
    aarch64 | arm64) echo "$system-arm64" ;;
    *) fail 4 "there is no release for $(uname -m); build from source: unset BOTTLE_VERSION" ;;
  esac
}

releases() {
  if [ -n "${BOTTLE_RELEASES:-}" ]; then
    echo "${BOTTLE_RELEASES%/}"
    return
  fi
  origin=$(git -C "$here" remote get-url origin 2>/dev/null || true)
  origin=${origin%.git}
  case $origin in
    https://github.com/*/*) echo "$origin/releases/download" ;;
    git@github.com:*/*) echo "https://github.com/${origin#git@github.com:}/releases/download" ;;
    *) fail 2 "where are the releases? set BOTTLE_RELEASES to the address of their folder" ;;
  esac
}

# fetch URL FILE: over https alone, but for this machine itself.
fetch() {
  case $1 in
    https://* | http://127.0.0.1:* | http://localhost:*) ;;
    *) fail 2 "not an https address: $1" ;;
  esac
  if has curl; then
    curl -fsSL --proto '=https,http' --proto-redir '=https' -o "$2" "$1"
  elif has wget; then
    wget -q -O "$2" "$1"
  else
    fail 4 "curl or wget is needed to download a release"
  fi
}

checksum() {
  if has sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  else
    fail 4 "sha256sum or shasum is needed to check what was downloaded"
  fi
}

# Copied beside its final name and renamed, so that a running bottle keeps its file and nobody sees half of one.
place() {
  mkdir -p "$directory"
  directory=$(CDPATH='' cd -- "$directory" && pwd)
  new="$directory/.bottle.$$.new"
  trap 'rm -rf "$scratch" "$new"' EXIT
  cp "$built" "$new"
  chmod 755 "$new"
  mv -f "$new" "$directory/bottle"
  trap 'rm -rf "$scratch"' EXIT
}

# Where bash and fish look by themselves. zsh looks nowhere in particular: its line is printed.
completions() {
  write_from "$bash_file" bash
  write_from "$fish_file" fish
  write_from "$man_file" man
  case ${SHELL:-} in
    */zsh) say "completion in zsh: echo 'source <(bottle completions zsh)' >> ~/.zshrc" ;;
  esac
}

write_from() {
  if "$directory/bottle" completions "$2" >"$scratch/$2" && mkdir -p "$(dirname "$1")" && cp "$scratch/$2" "$1"; then
    return
  fi
  say "completions: $1 cannot be written"
}

report() {
  after=$("$directory/bottle" --version)
  if [ -z "$before" ] || [ "$before" = "$after" ]; then
    say "installed $after: $directory/bottle"
  else
    say "upgraded $before to ${after#bottle }: $directory/bottle; bottles that run keep the old one until they end"
  fi
}

remove() {
  if [ -x "$directory/bottle" ]; then
    running=$("$directory/bottle" list --json 2>/dev/null | grep -c '"state": "\(starting\|running\|idle\)"' || true)
    if [ "${running:-0}" -gt 0 ]; then
      fail 1 "$running bottles are running; end them first: bottle list, then bottle stop"
    fi
  fi
  for file in "$directory/bottle" "$bash_file" "$fish_file" "$man_file"; do
    if [ -e "$file" ]; then
      rm -f "$file"
      say "removed $file"
    fi
  done
  for conf in "$HOME/.tmux.conf" "${XDG_CONFIG_HOME:-$HOME/.config}/tmux/tmux.conf"; do
    if grep -q '^# >>> bottle >>>$' "$conf" 2>/dev/null; then
      say "$conf still loads bottle: remove the lines between its marks"
    fi
  done
  say "your agents, bottles, their work and the audit stay in ${BOT_BOTTLE_HOME:-$HOME/.bot-bottle}"
}

system_packages() {
  packages=
  if [ "$(uname -s)" = Linux ] && ! has bwrap; then packages=bubblewrap; fi
  if ! has tmux; then packages="$packages tmux"; fi
  packages=${packages# }
  if [ -z "$packages" ]; then return; fi

  command=$(package_command "$packages")
  if [ -z "$command" ]; then
    say "install these with your system's package manager: $packages"
  elif [ "${command%% *}" = brew ] || [ "$(id -u)" = 0 ]; then
    say "installing $packages"
    sh -c "$command" >&2 || say "that failed; run it yourself: $command"
  else
    say "bottle needs $packages. To install:"
    say "  sudo sh -c '$command'"
  fi
}

# The command that installs the given packages here, or nothing.
package_command() {
  if has apt-get; then
    echo "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $1"
  elif has dnf; then
    echo "dnf install -y $1"
  elif has pacman; then
    echo "pacman -S --needed --noconfirm $1"
  elif has apk; then
    echo "apk add $1"
  elif has zypper; then
    echo "zypper --non-interactive install $1"
  elif has brew; then
    echo "brew install $1"
  fi
}

path_hint() {
  case ":$PATH:" in
    *":$directory:"*) return ;;
  esac
  say "$directory is not on your PATH. To add it:"
  case ${SHELL:-} in
    */fish) say "  fish_add_path '$directory'" ;;
    */zsh) say "  echo 'export PATH=\"$directory:\$PATH\"' >> ~/.zshrc" ;;
    */bash) say "  echo 'export PATH=\"$directory:\$PATH\"' >> ~/.bashrc" ;;
    *) say "  export PATH=\"$directory:\$PATH\"" ;;
  esac
}

main "$@"

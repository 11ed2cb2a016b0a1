#!/bin/sh
exec "$(dirname -- "$0")/tmux/load.sh"

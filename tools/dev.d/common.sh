# Shared by tools/dev and its parts: where things are, and how they speak. Sourced, never executed.
# shellcheck shell=bash

# Read by the scripts that source this file.
# shellcheck disable=SC2034
ringpost_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ringpost_cache=${RINGPOST_CACHE:-${XDG_CACHE_HOME:-${HOME:?needed for the cache}/.cache}/ringpost}

# Progress goes to stderr: stdout belongs to whoever asked a script for a value.
say() { printf '== %s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  if (($# > 0)); then printf '  %s\n' "$@" >&2; fi
  exit 1
}

# Runs a command quietly: its output goes to a log file, of which the tail is shown when it fails.
run_logged() {
  local log=$1
  shift
  if ! "$@" >>"$log" 2>&1; then
    tail -n 40 "$log" >&2
    fail "failed: $*" "the whole log: $log"
  fi
}

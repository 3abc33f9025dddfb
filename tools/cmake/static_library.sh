#!/usr/bin/env bash
# Makes libringpost.a: one object of all of ours and what they need of the archives, in which only
# the public symbols can be seen.
#
#   static_library.sh OUTPUT SHARED_LIBRARY OBJECT... -- ARCHIVE...
#
# An archive of objects cannot hide anything: what one of them has for another, everybody has, and a
# consumer's own wolfSSL would meet ours. So everything is linked into one object, where groups of
# what several files have made (templates) become ordinary sections, since a group with a hidden
# name could still be thrown away for a consumer's; and names become local unless the shared library
# has them, too. Debug information stays behind.
set -euo pipefail
output=$1 shared=$2
shift 2
objects=()
while [[ $1 != -- ]]; do
  objects+=("$1")
  shift
done
shift
work=$(mktemp -d "$output.XXXXXX")
trap 'rm -rf "$work"' EXIT
"${NM:-nm}" -D --defined-only --format=posix "$shared" | cut -d' ' -f1 >"$work/public"
"${LD:-ld}" -r --force-group-allocation -o "$work/ringpost.o" "${objects[@]}" \
  --start-group "$@" --end-group
# Unique symbols stay global whatever is asked for; weak ones are like any other.
"${NM:-nm}" --defined-only --format=posix "$work/ringpost.o" | awk '$2 == "u" { print $1 }' \
  >"$work/unique"
"${OBJCOPY:-objcopy}" --weaken-symbols="$work/unique" "$work/ringpost.o"
"${OBJCOPY:-objcopy}" --strip-debug --keep-global-symbols="$work/public" "$work/ringpost.o"
rm -f "$output"
"${AR:-ar}" rcs "$output" "$work/ringpost.o"

#!/usr/bin/env bash
# Writes what a package has besides the program and comes from it: the manual, completions, and the
# changelogs, packed as Debian wants them.
#
#   pages.sh PROGRAM FOLDER VERSION
set -euo pipefail
program=$1 folder=$2 version=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf "$folder"
mkdir -p "$folder"/{man,doc}
"$program" manual --directory "$folder/man"
"$program" completion bash >"$folder/ringpost"
"$program" completion zsh >"$folder/_ringpost"
"$program" completion fish >"$folder/ringpost.fish"

# The same input makes the same package, where somebody has said of when it is.
date=$(LC_ALL=C date --utc --rfc-email --date="@${SOURCE_DATE_EPOCH:-$(date +%s)}")
cp "$here/../../CHANGELOG.md" "$folder/doc/CHANGELOG.md"
cat >"$folder/doc/changelog" <<TEXT
ringpost ($version) unstable; urgency=medium

  * What has changed stands in CHANGELOG.md.gz.

 -- $RINGPOST_MAINTAINER  $date
TEXT
find "$folder/man" "$folder/doc" -type f -exec gzip -9n {} +

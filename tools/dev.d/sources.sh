#!/usr/bin/env bash
# Fetches the source of one Debian or Ubuntu package with `apt-get source` and unpacks it, patches
# applied.
#
#   sources.sh PACKAGE DIRECTORY [SUITE]      SUITE "own" is the machine's own release, "newest" the
#                                             one that packages come into first
#   sources.sh PACKAGE DIRECTORY SUITE upstream    what the package is made of, without its patches
#
# A newer suite than the machine's own is read, because the machine's wolfSSL has no hardware AES
# and its liburing lacks helpers. All of apt's state for that lives in a private folder of
# ringpost's cache: nothing of the user's apt configuration is changed, and no root is needed.
# Which archive to read is taken from the sources that are configured already, so a local mirror
# or proxy stays in use, and the archive's signature is checked against the distribution's own
# keyring.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Prints the base URIs of the machine's own archive, the likeliest first. Downloaded indexes name
# their origin. Before the first `apt-get update` there are none; then every configured archive
# that has the machine's own suite is tried, and the signature sorts out the rest.
archive_uris() {
  local origin=$1 codename=$2
  {
    # shellcheck disable=SC2016  # the dollars are apt's
    apt-get indextargets --format '$(ORIGIN)|$(SUITE)|$(REPO_URI)' 'Created-By: Packages' |
      awk -F'|' -v origin="$origin" \
        '$1 == origin && $2 !~ /security|updates|backports|proposed/ { print $3 }'
    apt-get update --print-uris -o Dir::State::lists=/nonexistent 2>/dev/null |
      sed -n "s|^'\(.*\)/dists/$codename/InRelease' .*|\1|p"
  } | sed 's|/*$||' | awk '!seen[$0]++'
}

keyring() {
  local file
  for file in /usr/share/keyrings/"$1"-archive-keyring.{gpg,pgp}; do
    if [[ -r $file ]]; then
      printf '%s\n' "$file"
      return
    fi
  done
}

# Sets $distribution, $origin, $components, $codename and $suite from the system's own description.
identify_system() {
  # shellcheck disable=SC1091
  source /etc/os-release
  codename=${VERSION_CODENAME:-none}
  case " ${ID:-} ${ID_LIKE:-} " in
    *" ubuntu "*)
      distribution=ubuntu origin=Ubuntu components='main universe' suite=resolute
      codename=${UBUNTU_CODENAME:-$codename}
      ;;
    *" debian "*)
      distribution=debian origin=Debian components=main suite=trixie
      codename=${DEBIAN_CODENAME:-$codename}
      ;;
    *) return 1 ;;
  esac
  suite=${RINGPOST_SOURCE_SUITE:-$suite}
}

# Fills $apt_options so that apt reads one deb-src line, and keeps its state to itself.
point_apt_at() {
  local uri=$1 state=$2 key
  key=$(keyring "$distribution")
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  printf 'deb-src %s%s %s %s\n' "${key:+[signed-by=$key] }" "$uri" "$suite" "$components" \
    >"$state/sources.list"
  apt_options=(
    -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache"
    # As root apt would drop to a user who cannot write below root's home folder.
    -o APT::Sandbox::User=root
    # A mirror may hold a suite as it was on some day; its signature is checked all the same.
    -o Acquire::Check-Valid-Until=false
    -o Acquire::Retries=3 -o APT::Get::List-Cleanup=false -o Acquire::Languages=none
  )
}

private_apt_get() { apt-get -q "${apt_options[@]}" "$@"; }

# Downloads the package into the current folder from the first archive that has it. The lists of an
# earlier run are tried first, because they are the larger part of the download.
download() {
  local package=$1 uri
  for uri in "${uris[@]}"; do
    point_apt_at "$uri" "$state"
    private_apt_get source --download-only --only-source "${parts_wanted[@]}" "$package" && return
    private_apt_get update || continue
    private_apt_get source --download-only --only-source "${parts_wanted[@]}" "$package" && return
  done
  return 1
}

main() {
  local package=$1 target=$2 wanted_suite=${3:-} form=${4:-package} parts_wanted=()
  if [[ $form == upstream ]]; then parts_wanted=(--tar-only); fi
  local distribution='' origin='' components='' codename='' suite='' uris=() apt_options=()
  { command -v apt-get && command -v dpkg-source; } >/dev/null ||
    fail "the source of $package comes with apt-get and dpkg-source, and one of them is missing"
  identify_system ||
    fail "sources are fetched on Debian, Ubuntu and systems like them, and this is another one"
  case $wanted_suite in
    '') ;;
    own) suite=$codename ;;
    newest) if [[ $distribution == debian ]]; then suite=${RINGPOST_SOURCE_SUITE:-sid}; fi ;;
    *) suite=$wanted_suite ;;
  esac
  mapfile -t uris < <(archive_uris "$origin" "$codename")
  ((${#uris[@]} > 0)) ||
    fail "cannot fetch the source of $package: no $origin archive among this machine's apt sources"

  local state=$ringpost_cache/sources/$suite
  local downloads=$state/download/$package
  local log=$state/$package.log
  rm -rf "$downloads"
  mkdir -p "$downloads"
  : >"$log"
  (cd "$downloads" && download "$package") >>"$log" 2>&1 || {
    grep -E '^(E|W|Err):?' "$log" | tail -n 5 >&2
    fail "could not fetch the source of $package from the $origin suite '$suite'" \
      "tried: ${uris[*]}" "another suite: RINGPOST_SOURCE_SUITE=NAME" "the whole log: $log"
  }
  rm -rf "$target"
  if [[ $form == upstream ]]; then
    mkdir -p "$target"
    tar --extract --strip-components=1 --directory "$target" --file "$downloads"/*.orig.tar.*
    return
  fi
  # apt has checked the signed hashes, so dpkg-source need not look for the uploader's key.
  dpkg-source --no-check --extract "$downloads"/*.dsc "$target" >>"$log"
}

main "$@"

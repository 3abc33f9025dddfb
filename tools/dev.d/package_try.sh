#!/usr/bin/env bash
# Installs a package in a fresh Debian, runs what is in it as a user would, removes it, and looks
# for what is left.
#
#   package_try.sh PACKAGE [SUITE...]     bookworm and trixie by default
#
# Each suite is made by debootstrap below ${RINGPOST_CACHE:-~/.cache/ringpost}/package, in a
# mount and process namespace that ends with this script: nothing stays mounted, no process lives
# on, and the folder is removed. Needs root, and some 400 MB for a while.
set -euo pipefail
parts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$parts/common.sh"

# The mirror that this machine's own packages come from.
mirror() {
  # shellcheck disable=SC2016 # apt fills it in
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1
}

# A release that is newer than debootstrap is made like the newest that it knows.
make_root() {
  local suite=$1 root=$2 script=/usr/share/debootstrap/scripts/$1
  if [[ ! -e $script ]]; then script=/usr/share/debootstrap/scripts/sid; fi
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$(mirror)" "$script"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
}

# Inside of the root: everything that its user would try, in the order in which he would.
try_inside() {
  local folder
  export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
  apt-get -q -o APT::Sandbox::User=root install -y --no-install-recommends /package.deb </dev/null
  ringpost version
  ringpost config check
  ringpost presets >/dev/null
  for page in /usr/share/man/man1/ringpost.1.gz /usr/share/man/man1/ringpost-send.1.gz \
    /usr/share/man/man5/ringpost.toml.5.gz \
    /usr/share/bash-completion/completions/ringpost /usr/share/zsh/vendor-completions/_ringpost \
    /usr/share/fish/vendor_completions.d/ringpost.fish /etc/ringpost/ringpost.toml \
    /usr/share/doc/ringpost/copyright /usr/share/doc/ringpost/examples/ringpost.py; do
    [[ -s $page ]] || fail "the package has no $page"
  done
  # shellcheck disable=SC1091
  (source /usr/share/bash-completion/completions/ringpost && complete -p ringpost)
  ringpost validate /usr/share/doc/ringpost/examples/jobs.jsonl
  folder=$(mktemp -d)
  # As somebody who may do nothing else: io_uring, TLS and AUTH are the demo's.
  useradd --create-home somebody
  (cd "$folder" && chown somebody . && su somebody -c 'ringpost demo') | tee "$folder/demo.log"
  grep -Eq '^accepted +9998$' "$folder/demo.log" || fail "the demo was not accepted"
  apt-get -q purge -y ringpost </dev/null
  for left in /usr/bin/ringpost /etc/ringpost /usr/share/doc/ringpost \
    /usr/share/man/man1/ringpost.1.gz; do
    [[ ! -e $left ]] || fail "the package has left $left behind"
  done
}

try_suite() {
  local suite=$1 package=$2 root=$3/$1
  rm -rf "$root"
  make_root "$suite" "$root"
  cp "$package" "$root/package.deb"
  cp "$parts/package_try.sh" "$parts/common.sh" "$root/"
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/tmp"
  HOME=/root chroot "$root" bash /package_try.sh --inside
}

case ${1:-} in
  --inside) try_inside ;;
  --suite) try_suite "${@:2}" ;;
  '') fail "package_try.sh: which package?" ;;
  *)
    ((EUID == 0)) || fail "a root of its own for a package needs root"
    package=$(realpath "$1")
    shift
    if (($# == 0)); then set -- bookworm trixie; fi
    "$parts/packages.sh" debootstrap
    folder=$ringpost_cache/package
    mkdir -p "$folder"
    trap 'rm -rf "$folder"' EXIT
    for suite in "$@"; do
      say "$suite: installing, running and removing $(basename "$package")"
      unshare --mount --pid --fork --kill-child=KILL -- \
        "$parts/package_try.sh" --suite "$suite" "$package" "$folder" >"$folder/$suite.log" 2>&1 ||
        { tail -n 40 "$folder/$suite.log" >&2; fail "$suite: it does not work there"; }
      grep -E '^(ringpost|accepted) ' "$folder/$suite.log" >&2 || true
      rm -rf "${folder:?}/$suite"
    done
    ;;
esac

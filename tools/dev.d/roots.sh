#!/usr/bin/env bash
# Makes the roots in which tests/interop starts mail servers of which only one could be installed on
# a machine, or none in the release that it has.
#
#   roots.sh here [NAME...]    servers of this machine's release, as layers over this machine
#   roots.sh forky [NAME...]   servers of Debian forky, as layers over a small system made by
#                              debootstrap
#   roots.sh --names SUITE     which it knows
#
# They are kept below ${RINGPOST_CACHE:-~/.cache/ringpost}/roots/<key>, shared by every checkout;
# build/roots/SUITE becomes a link to it. It has the folder "base" (for "here" a link to "/"), one
# for each server, and the program "store" that servers deliver to. How they are put together, and
# how they come apart, says in_root.sh. Installed packages change neither this machine nor the base.
#
# One that cannot be had is no failure: its tests are skipped and name it. Needs root.
set -euo pipefail
parts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$parts/common.sh"

store_source=$ringpost_root/tests/support/store.cpp
declare -A packages=(
  [postfix]="postfix sasl2-bin libsasl2-modules"
  [exim]="exim4-daemon-light"
  [opensmtpd]="opensmtpd"
  [dovecot]="dovecot-core dovecot-submissiond"
  [chasquid]="chasquid"
  [courier]="courier-mta courier-authdaemon"
  [sendmail]="sendmail-bin sasl2-bin libsasl2-modules sensible-mda"
)
# shellcheck disable=SC2034 # they are used by name
names_here=(opensmtpd chasquid courier postfix exim sendmail)
# shellcheck disable=SC2034
names_forky=(postfix exim opensmtpd dovecot chasquid courier sendmail)

# The mirror that this machine's own packages come from.
mirror() {
  # shellcheck disable=SC2016 # apt fills it in
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1
}

# Neither starts what it installs, nor waits for the disk: a root that was half made is made anew.
prepare() {
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/ringpost
  echo mx.ringpost.test >/etc/mailname
  printf '127.0.0.1 localhost %s\n::1 localhost\n' "$(hostname)" >/etc/hosts
}

# Inside of the root. The lists of packages are fetched once for all servers of a suite, and the
# archives are gone with the root.
install_inside() {
  prepare
  mount --bind "$prefix/lists" /var/lib/apt/lists
  mount -t tmpfs tmpfs /var/cache/apt
  if [[ ! -e $prefix/lists/fetched ]]; then
    # A mirror may stand still; what it has is signed all the same.
    apt-get -q -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false update
    touch "$prefix/lists/fetched"
  fi
  DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -o APT::Sandbox::User=root install -y \
    --no-install-recommends "$@" </dev/null
}

make_base() {
  if [[ $suite == here ]]; then
    ln -s / "$target"
    return
  fi
  "$parts/packages.sh" debootstrap
  # A release that is newer than debootstrap is made like the newest that it knows.
  local script=/usr/share/debootstrap/scripts/$suite
  if [[ ! -e $script ]]; then script=/usr/share/debootstrap/scripts/sid; fi
  debootstrap --variant=minbase --include=adduser,openssl,procps "$suite" "$target" "$(mirror)" \
    "$script"
  cp /etc/resolv.conf "$target/etc/resolv.conf"
  rm -rf "$target"/var/cache/apt/* "$target"/var/lib/apt/lists/*
}

make_store() {
  mkdir "$target"
  g++ -std=c++20 -O2 -Wall -Wextra -static -s -o "$target/store" "$store_source"
}

make_server() {
  mkdir -p "$target" "$prefix/lists"
  cp "$parts"/{roots,common}.sh "$prefix/"
  # shellcheck disable=SC2086
  "$parts/in_root.sh" "$prefix/base" "" "$target" "$prefix" \
    bash "$prefix/roots.sh" --inside ${packages[$1]}
  rm -rf "$target"/{root,usr/work,etc/work,var/work}
}

# Makes one part unless its mark says that it is there.
provide() {
  local name=$1 log=$prefix/$1.log
  shift
  target=$prefix/$name
  if [[ -e $prefix/$name.mark ]]; then return; fi
  rm -rf "$target"
  say "$suite: making $name (once; kept in $prefix)"
  # A shell of its own: "set -e" has no effect in a function whose result is looked at.
  if (export target && bash -euo pipefail "$parts/roots.sh" --make "$suite" "$@") >"$log" 2>&1; then
    touch "$prefix/$name.mark"
  else
    rm -rf "$target" # half a root looks like one
    tail -n 5 "$log" >&2
    warn "$suite: $name cannot be had here, so its tests will be skipped; the whole log: $log"
    return 1
  fi
}

main() {
  suite=$1
  shift
  local -n known=names_$suite
  local names=("$@") name key
  if ((${#names[@]} == 0)); then names=("${known[@]}"); fi
  ((EUID == 0)) || { warn "roots of their own for mail servers need root"; return 0; }
  key=$({
    (. /etc/os-release && echo "$suite $ID $VERSION_ID" && uname -m)
    declare -p packages
  } | sha256sum | cut -c1-16)
  export prefix=$ringpost_cache/roots/$key
  mkdir -p "$prefix" "$ringpost_root/build/roots"
  exec 9>"$prefix.lock"
  flock 9
  ln -sfn "$prefix" "$ringpost_root/build/roots/$suite"
  if [[ $store_source -nt $prefix/store/store ]]; then rm -f "$prefix/store.mark"; fi
  provide base base && provide store store || return 0
  for name in "${names[@]}"; do provide "$name" server "$name" || true; done
  rm -rf "$prefix"/{lists,roots.sh,common.sh}
}

case ${1:-} in
  here | forky) main "$@" ;;
  --names)
    declare -n known=names_${2:?a suite}
    printf '%s\n' "${known[@]}"
    ;;
  --make)
    suite=$2
    "make_$3" "${@:4}"
    ;;
  --inside) install_inside "${@:2}" ;;
  *) fail "roots.sh: unknown suite '${1:-}'" "known are: here forky" ;;
esac

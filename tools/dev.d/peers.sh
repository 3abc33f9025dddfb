#!/usr/bin/env bash
# Fetches the mail servers of tests/interop that are not installed like packages.
#
#   peers.sh
#
# Exim is the program of the distribution's package, unpacked and not installed: only one mail
# system can be installed, and that is Postfix. nodemailer's smtp-server and Haraka come from npm.
# They are kept below ${RINGPOST_CACHE:-~/.cache/ringpost}/peers/<key>, shared by every checkout;
# build/peers of this checkout becomes a link to it. A server counts as there when its mark is
# there, and the mark is written last.
#
# A server that cannot be had is no failure of the set-up: its test is skipped and names it.
set -euo pipefail
parts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$parts/common.sh"

exim_package=exim4-daemon-light
smtp_server=smtp-server@3.18.0
haraka=Haraka@3.1.1
# What these two need in turn is taken as it was on this day, so that it is the same every time.
npm_day=2026-01-12

fetch_exim() {
  "$parts/packages.sh" exim-libraries
  # As root apt would drop to a user who cannot write here.
  apt-get -q -o APT::Sandbox::User=root download "$exim_package"
  dpkg-deb --extract "$exim_package"_*.deb unpacked
  # Without the set-user-id bit: it runs as whoever starts it.
  install -D -m 755 unpacked/usr/sbin/exim4 "$target/exim"
  if ldd "$target/exim" | grep 'not found'; then return 1; fi
}

# Their install scripts build what is optional, and so do their optional dependencies.
fetch_from_npm() {
  npm install --prefix "$target" --before="$npm_day" --omit=optional --ignore-scripts \
    --no-audit --no-fund --no-save "$1"
}

fetch_smtp_server() { fetch_from_npm "$smtp_server"; }
fetch_haraka() { fetch_from_npm "$haraka"; }

# Fetches one server unless its mark says that it is there.
provide() {
  local name=$1 target=$prefix/$1 work=$prefix/work/$1 log=$prefix/$1.log
  if [[ -e $target/mark ]]; then return; fi
  rm -rf "$target" "$work"
  mkdir -p "$target" "$work"
  say "fetching ${name//_/-} (once; kept in $prefix)"
  # A shell of its own: "set -e" has no effect in a function whose result is looked at.
  if (cd "$work" && bash -euo pipefail -c "fetch_$name") >"$log" 2>&1; then
    touch "$target/mark"
  else
    rm -rf "$target" # half a server looks like one
    tail -n 5 "$log" >&2
    warn "${name//_/-} cannot be had here, so its tests will be skipped; the whole log: $log"
  fi
  rm -rf "$work"
}

main() {
  local prefix key
  key=$(printf '%s\n' "$(. /etc/os-release && echo "$ID $VERSION_ID")" "$(uname -m)" \
    "$exim_package" "$smtp_server" "$haraka" "$npm_day" | sha256sum | cut -c1-16)
  prefix=$ringpost_cache/peers/$key
  mkdir -p "$prefix" "$ringpost_root/build"
  exec 9>"$prefix.lock"
  flock 9
  export prefix parts exim_package smtp_server haraka npm_day
  local name
  for name in exim smtp_server haraka; do
    export target=$prefix/$name
    export -f fetch_exim fetch_from_npm fetch_smtp_server fetch_haraka
    provide "$name"
  done
  ln -sfn "$prefix" "$ringpost_root/build/peers"
}

main "$@"

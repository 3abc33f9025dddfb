#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that ringpost is built and tested with, and only those that
# are missing: on a machine that has them all it needs neither root nor a network.
#
#   packages.sh build          what a release build needs
#   packages.sh build test     that, and what the whole test suite needs
#   packages.sh exim-libraries what the unpacked Exim of peers.sh is linked with; nginx-libraries
#                              and nsd-libraries likewise
#   packages.sh go             what one peer of bench/e2e/compare.py needs; likewise curl, h2load,
#                              node, smtp-source, swaks
#   packages.sh fuzz           clang with libFuzzer
#   packages.sh debootstrap    what roots.sh makes a newer release with
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

packages_build=(
  g++ cmake ninja-build make git ca-certificates pkg-config dpkg-dev python3
  autoconf automake libtool # wolfSSL's source comes without a configure script
  libfmt-dev libcli11-dev libtomlplusplus-dev libconcurrentqueue-dev
  libidn2-dev libzstd-dev zlib1g-dev libxxhash-dev libc-ares-dev
  libboost-dev # Beast and Asio, which are headers
  libcurl4-openssl-dev # headers as well; the library is loaded when a webhook is configured
  libnats-dev # without it ringpost is built without NATS
)
# Makes TLS records where the processor is x86, see tls/ipsec_mb_cipher.cpp.
if [[ $(uname -m) == x86_64 ]]; then packages_build+=(libipsec-mb-dev); fi
packages_test=(
  postfix sasl2-bin libsasl2-modules python3-aiosmtpd openssl # peers of tests/interop
  curl gnutls-bin # what they think of a certificate is what tests/tls compares with
  nodejs npm # for the peers that peers.sh fetches
  gir1.2-gmime-3.0 python3-gi libemail-mime-perl ruby-mail # readers of tests/codec
  libmime-tools-perl libmail-java default-jdk-headless # likewise
  zstd # packs what tests read
  python3-pyte # a terminal, for what is drawn on one
  python3-prometheus-client # reads what ringpost serve tells Prometheus
  chromium # looks at the page of ringpost report
  groff-base # shows the manual
  libnss-wrapper # the unpacked Exim looks for a user whom only its package would make
  libbenchmark-dev
  nats-server # three of them are a cluster
  msmtp swaks php-cli libphp-phpmailer # platforms in front of ringpost serve, in tests/e2e
)
packages_fuzz=(clang libclang-rt-dev)
packages_swaks=(swaks libnet-ssleay-perl libio-socket-ssl-perl) # the libraries are for TLS

is_installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The libraries among the dependencies of a package, as this release names them.
libraries_of() {
  apt-cache depends "$1" | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p'
}

# Node.js is often installed by other means than the distribution's package, and so are Go and Java.
is_there_otherwise() {
  case $1 in
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    default-jdk-headless) command -v javac >/dev/null ;;
    golang-go) command -v go >/dev/null ;;
    *) false ;;
  esac
}

# Only one mail system can be installed at a time, and one that is there is in use.
has_other_mail_system() {
  dpkg-query --show --showformat='${db:Status-Status} ${Package} ${Provides}\n' |
    awk '/^installed .*mail-transport-agent/ && $2 != "postfix" { found = 1 } END { exit !found }'
}

# Postfix asks questions and starts a daemon when it is installed with defaults. With "No
# configuration" it does neither, and leaves a mail system that is already there alone.
quiet_postfix() {
  printf 'postfix postfix/main_mailer_type select No configuration\n' |
    "${as_root[@]}" debconf-set-selections
}

main() {
  local wanted=() missing=() group name
  for group in "$@"; do
    case $group in
      build) wanted+=("${packages_build[@]}") ;;
      test) wanted+=("${packages_test[@]}") ;;
      exim-libraries)
        mapfile -t -O "${#wanted[@]}" wanted < <(libraries_of exim4-daemon-light)
        ;;
      nginx-libraries) mapfile -t -O "${#wanted[@]}" wanted < <(libraries_of nginx) ;;
      nsd-libraries) mapfile -t -O "${#wanted[@]}" wanted < <(libraries_of nsd) ;;
      debootstrap) wanted+=(debootstrap) ;;
      fuzz) wanted+=("${packages_fuzz[@]}") ;;
      curl) wanted+=(curl) ;;
      go) wanted+=(golang-go) ;;
      h2load) wanted+=(nghttp2-client) ;;
      node) wanted+=(nodejs npm) ;;
      smtp-source) wanted+=(postfix) ;;
      swaks) wanted+=("${packages_swaks[@]}") ;;
      *) fail "packages.sh: unknown group '$group'" "its first lines name those that are known" ;;
    esac
  done

  command -v dpkg-query >/dev/null ||
    fail "this set-up installs packages with apt, and this machine has no dpkg" \
      "install the libraries listed in tools/dev.d/packages.sh yourself, then run cmake directly"
  for name in "${wanted[@]}"; do
    if is_installed "$name" || is_there_otherwise "$name"; then continue; fi
    if [[ $name == postfix ]] && has_other_mail_system; then
      warn "another mail system is installed, so the tests against Postfix will be skipped"
      continue
    fi
    missing+=("$name")
  done
  ((${#missing[@]} > 0)) || return 0

  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "these packages are missing, and installing them needs root or sudo:" "${missing[*]}" \
        "as root: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi

  say "installing ${#missing[@]} packages: ${missing[*]}"
  local log=$ringpost_cache/packages.log
  mkdir -p "$ringpost_cache"
  : >"$log"
  # "env" carries the variable through sudo, which clears the environment.
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  run_logged "$log" "${as_root[@]}" apt-get update
  if [[ " ${missing[*]} " == *" postfix "* ]]; then quiet_postfix; fi
  # Nothing that the user has is removed for our sake.
  run_logged "$log" "${as_root[@]}" apt-get install -y --no-install-recommends --no-remove \
    "${missing[@]}"
}

main "$@"

# Shared by the findings: a folder that goes away, a bound on time, packages. Sourced, never
# executed.
# shellcheck shell=bash
set -euo pipefail
findings=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
in_root=$findings/../tools/dev.d/in_root.sh
seconds_max=240

# Everything runs once more, as a child that has a folder and so much time.
if [[ -z ${finding_folder:-} ]]; then
  finding_folder=$(mktemp -d "${TMPDIR:-/tmp}/ringpost-finding-XXXXXX")
  chmod 755 "$finding_folder"
  tidy_up() {
    if [[ -e $finding_folder/pid ]]; then
      kill -KILL "$(cat "$finding_folder/pid")" 2>/dev/null || true
      for _ in {1..50}; do
        kill -0 "$(cat "$finding_folder/pid")" 2>/dev/null || break
        sleep 0.1
      done
    fi
    rm -rf "$finding_folder"
  }
  trap tidy_up EXIT
  export finding_folder
  status=0
  timeout --kill-after=10 "$seconds_max" bash "$0" "$@" || status=$?
  exit "$status"
fi

cannot() {
  printf 'cannot be tried here: %s\n' "$1"
  exit 77
}

# A port of loopback that nobody listens on now.
free_port() {
  python3 -c 'import socket
with socket.socket() as one:
    one.bind(("127.0.0.1", 0))
    print(one.getsockname()[1])'
}

# npm_package NAME@VERSION: without its install scripts; below $finding_folder/node_modules.
npm_package() {
  command -v npm >/dev/null || cannot "npm is not installed"
  npm install --prefix "$finding_folder" --omit=optional --ignore-scripts --no-audit --no-fund \
    --no-save "$1" >"$finding_folder/log" 2>&1 || cannot "$(tail -n 1 "$finding_folder/log")"
}

# debian_packages NAME=VERSION...: installs them in a layer over this machine's /usr, /etc and /var
# that goes away with the folder; what is installed here is neither changed nor started.
debian_packages() {
  ((EUID == 0)) || cannot "a layer over this machine needs root"
  # What this writes is read by in_layer.
  printf '#!/bin/sh\nexit 101\n' >"$finding_folder/policy-rc.d"
  in_layer bash -c 'set -e
    install -m 755 "$0/policy-rc.d" /usr/sbin/policy-rc.d
    echo mx.example >/etc/mailname
    mount -t tmpfs tmpfs /var/cache/apt
    mount -t tmpfs tmpfs /var/lib/apt/lists
    apt-get -q -o APT::Sandbox::User=root update
    DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -o APT::Sandbox::User=root install -y \
      --no-install-recommends "$@"' "$finding_folder" "$@" \
    >"$finding_folder/log" 2>&1 </dev/null || cannot "$(tail -n 1 "$finding_folder/log")"
}

in_layer() { "$in_root" / "" "$finding_folder/layer" "$finding_folder" "$@"; }

# server COMMAND...: starts it in the background; it ends with the script.
server() {
  "$@" >"$finding_folder/output" 2>&1 </dev/null &
  echo $! >"$finding_folder/pid"
}

# in_layer starts a process of its own, which is what has to be ended.
layered_server() {
  server "$in_root" / "" "$finding_folder/layer" "$finding_folder" sh -c \
    ': >/etc/resolv.conf
     '"$1"'
     while :; do sleep 1000 & wait $!; done'
}

# Waits for a server on a port.
listens() {
  for _ in {1..150}; do
    if (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.2
  done
  cat "$finding_folder/output"
  cannot "nothing listens on port $1"
}

# The conversation, in Python, from standard input; talk.py is at hand.
client() { PYTHONPATH=$findings python3 -B - "$@"; }

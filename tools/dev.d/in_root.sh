#!/usr/bin/env bash
# Runs a command in a root of its own, with layers over a base, in a mount and process namespace
# that ends with the command: nothing is left mounted and no process lives on, however it ends.
#
#   in_root.sh BASE LAYER TOP FOLDER COMMAND [ARGUMENT...]
#
# BASE is a root: "/" or what roots.sh has made. LAYER holds what was installed into it, or is
# empty. What the command changes in /usr, /etc and /var goes to TOP, which may be the LAYER of a
# later call. FOLDER has the same path inside as outside, and is where both see the same files.
#
# /tmp, /run and /dev are empty but for the devices that every program expects. Needs root.
set -euo pipefail

if [[ ${1:-} != --inside ]]; then
  # A process that is killed takes its namespace with it; the shell below is its first process.
  exec unshare --mount --pid --fork --kill-child=KILL -- "${BASH_SOURCE[0]}" --inside "$@"
fi
shift
base=$1 layer=$2 top=$3 folder=$4
shift 4

root=$top/root
mkdir -p "$root"
mount --bind "${base%/}/" "$root"
for part in usr etc var; do
  mkdir -p "$top/$part/upper" "$top/$part/work"
  lower=${base%/}/$part
  if [[ -n $layer ]]; then lower=$layer/$part/upper:$lower; fi
  mount -t overlay overlay "$root/$part" \
    -o "lowerdir=$lower,upperdir=$top/$part/upper,workdir=$top/$part/work"
done
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
  : >"$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir -m 1777 "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do
  ln -s "/proc/self/fd/${number%:*}" "$root/dev/${number#*:}"
done
mkdir -p "$root$folder"
mount --bind "$folder" "$root$folder"
exec chroot "$root" "$@"

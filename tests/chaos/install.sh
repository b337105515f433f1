#!/bin/sh
# tests/chaos/install.sh — the Debian packages of the chaos tests, when root; without them, tests are skipped and counted.
set -eu
packages="strace fuse3 libfuse3-3 exfat-fuse exfatprogs e2fsprogs dosfstools faketime util-linux"
missing=""
for package in $packages; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "chaos: not installed:$missing (needs root and apt-get)"
    exit 0
fi
echo "chaos: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # a list of words
apt-get install -y -qq $missing >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq $missing >/dev/null; }

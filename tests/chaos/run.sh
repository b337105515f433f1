#!/bin/sh
# tests/chaos/run.sh PYTHON [PYTEST ARGUMENTS] — the chaos tests, two at a time: all, or the files that are named. For
# root in a mount namespace of their own, so that no mount of theirs is ever seen outside; everyone else gets those that
# need none, and the skips counted. What they find goes to figures.json and from there into the documents; with CI set
# it is told only, so that a check changes no file of the checkout.
set -eu
cd "$(dirname "$0")/../.."
python=$1
shift
all=tests/chaos
for word in "$@"; do
    case $word in *tests/chaos/test_*) all= ;; esac
done
set -- "$python" -m pytest ${all:+"$all"} --numprocesses 2 --dist loadgroup -rs "$@"
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
    export CHAOS_OWN_MOUNTS=yes
    set -- unshare --mount --propagation private "$@"
fi
status=0
"$@" || status=$?
[ -n "${CI:-}" ] || "$python" docs/make_promises.py
exit "$status"

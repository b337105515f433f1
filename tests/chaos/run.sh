#!/bin/sh
# tests/chaos/run.sh PYTHON [PYTEST ARGUMENTS] — the chaos tests, two at a time. For root in a mount namespace of their
# own, so that no mount of theirs is ever seen outside; everyone else gets those that need none, and the skips counted.
set -eu
cd "$(dirname "$0")/../.."
python=$1
shift
set -- "$python" -m pytest tests/chaos --numprocesses 2 --dist loadgroup -rs "$@"
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
    CHAOS_OWN_MOUNTS=yes exec unshare --mount --propagation private "$@"
fi
exec "$@"

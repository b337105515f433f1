"""`python leash.py PARENT COMMAND…`: becomes COMMAND, which the kernel ends when PARENT does (Linux, PDEATHSIG).

A program of its own, because code between fork and exec of a process with threads may hang for ever; the wish
survives exec (prctl(2)). It is granted to the thread that started us: that has to be the main one (reliability.md §3).
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

_SET_PDEATHSIG = 1
_CANNOT_RUN = 127


def main(arguments: Sequence[str]) -> int:
    """Does not return, unless the parent is gone already or the command cannot be run."""
    parent, *command = arguments
    with suppress(OSError, AttributeError):  # elsewhere than on Linux
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):  # it ended before we could ask: nobody would end us
        return 1
    try:
        os.execv(command[0], command)  # noqa: S606 - a list, no shell
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be run: {error.strerror}\n")
    return _CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The simulator as a command: in this process, until it is told to stop."""

from collections.abc import Sequence


def run_simulator(argv: Sequence[str]) -> int:
    """Serves until Ctrl-C, SIGTERM or the shutdown endpoint. UsageError for options that there are not."""
    from thetabulk.simulator.__main__ import main

    return main(argv)

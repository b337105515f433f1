"""A run under a screen: what `download`, `resume` and `update` share."""

import sys
from collections.abc import Mapping
from contextlib import suppress

from thetabulk import config
from thetabulk.config import Resolved
from thetabulk.errors import DriveGone, ThetabulkError, UsageError
from thetabulk.events import Emit, Notice

STOPPED_AS_ASKED = 11


def simulator_arguments(simulate: bool, said: Mapping[str, object], tier: str) -> tuple[str, ...] | None:
    """The arguments of the simulator to start, None if none is wanted. UsageError for its options without it."""
    given = {flag: str(value) for flag, value in said.items() if value is not None}
    if not simulate:
        if given:
            raise UsageError(f"without --simulate there is no {', '.join(given)}")
        return None
    if tier:
        given["--tier"] = str(config.parse_tiers(tier).get("option", "standard"))
    return tuple(word for pair in given.items() for word in pair)


def run_with_screen(
    resolved: Resolved, *, command: str, simulator: tuple[str, ...] | None = None, failed_only: bool = False,
    recheck: bool = False, confirm: bool = False,
) -> int:  # fmt: skip
    """Something moves at once; then the run; then the last word. Returns the exit code.

    With `confirm`, a person at a terminal is asked once before a large download, or one that may not fit; and before
    the first one of a store, whether to begin with first contact. Without it (`--yes`) the answer is yes.
    """
    if confirm and not _agreed(resolved, simulated=simulator is not None, recheck=recheck):
        sys.stderr.write("nothing was downloaded\n")
        return STOPPED_AS_ASKED
    probe = None if simulator is not None or command != "download" else _begins_with_contact(resolved, confirm=confirm)
    from thetabulk.assembly import clock
    from thetabulk.report.screen import open_screen

    screen = open_screen(
        resolved.config.screen, config.environment(), opening=f"thetabulk {command}: looking around",
        stdout=sys.stdout, stderr=sys.stderr, now=clock.monotonic, clock=clock.now,
    )  # fmt: skip
    with screen:
        _look_first(resolved, screen.emit)
        from thetabulk.assembly import downloads  # half a second of imports, with the screen up

        orders = downloads.Orders(command, simulator, failed_only=failed_only, recheck=recheck, probe=probe)
        return downloads.run(resolved, orders, screen.emit)


def _look_first(resolved: Resolved, emit: Emit) -> None:
    """The quick form of `doctor`: what a run's start does not ask. ThetabulkError for what no run survives."""
    from thetabulk.assembly.doctor.examination import before_run

    for found in before_run(resolved):
        told = [each for each in (found.advice, found.command) if each]
        if found.code:
            raise ThetabulkError(found.text, hint=" ".join(told))
        emit(Notice("; ".join([found.text, *told]), "warning"))


def _begins_with_contact(resolved: Resolved, *, confirm: bool) -> bool | None:
    """Yes or no by a person, yes by `--yes`; None where nobody can be asked: then the run only proposes it."""
    screen = resolved.config.screen
    if not confirm:
        return True
    if screen.json or screen.quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    from thetabulk.assembly import probing

    if not probing.offered(resolved):
        return None
    sys.stderr.write(f"{probing.QUESTION} [Y/n] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() not in ("n", "no")


def _agreed(resolved: Resolved, *, simulated: bool, recheck: bool) -> bool:
    """Whether to go on. Only a terminal is asked, at both ends: a pipe cannot answer, and a log cannot be read."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    from thetabulk.assembly.plans import forecast

    with suppress(DriveGone):  # for the run to tell, or to wait for
        found = forecast(resolved, simulated=simulated, recheck=recheck)
        if found.concern and found.expected is not None:
            from thetabulk.report.forecast import room

            amount, _ = room(found.fits, found.expected.low, found.expected.high, found.free_bytes)
            sys.stderr.write(f"{amount}: {found.concern} (--yes does not ask)\ncontinue? [y/N] ")
            sys.stderr.flush()
            return sys.stdin.readline().strip().lower() in ("y", "yes")
    return True

"""What keeps a run from going on, or from going on well, told from its events alone. Pure: the time is an argument.

A person who comes by needs to see one thing: what is the matter, what comes next, and whether anything is to be done.
Nobody was told for an hour that every contract was refused (incident 2), so silence and sameness count as well as what
somebody has raised.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatchmethod

from thetabulk.config import IncidentConfig
from thetabulk.events import (
    AttemptFailed,
    BreakerChanged,
    BytesReceived,
    Checking,
    Event,
    Paused,
    Resumed,
    RunFinished,
    RunStarted,
    ShardFinished,
    ShardStarted,
    Slowed,
    Stopping,
)
from thetabulk.model import Failed, Refused, Saved, Shard

_CAUSES = {
    "DriveGone": "drive-gone", "DiskFull": "disk-full", "SessionTaken": "session-taken",
    "NotConnected": "not-connected", "TerminalUnavailable": "terminal-absent", "Restarting": "restarting",
}  # fmt: skip
_OTHER_LOGIN = (
    "stop the other login of this account: a Theta Terminal, the Python library or an app, here or on another machine; "
    "then leave this run alone"
)
_HURRY = "in a hurry? Then restart this Terminal, press Ctrl-C, and type: thetabulk resume"
_NO_SUSPECT = "nothing on this machine looks like one: look at your other machines"
_REPORT = "what this means: thetabulk status --gaps; if it makes no sense, stop with Ctrl-C and report it"
_SAME = {  # what comes next, and what a person can do, if day after day ends in this way
    "failed": ("goes on with the other days, and asks again at the end", _REPORT),
    "asked-wrongly": ("goes on with the other days", _REPORT),
    "incomplete": ("goes on with the other days", _REPORT),
    "refused": (
        "asks small questions: is it these days, or the account? If it is the account, the run ends (exit code 7)",
        "check the subscription that the Terminal shows when it starts: days older than it serves are refused for good",
    ),
}
_SUSPECTS_TOLD = 3
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Matter:
    """What is the matter: `stuck` if nothing comes at all. `next` is what happens by itself, at `due` (monotonic; None:
    at once, or nobody knows); `you` is what a person can do."""

    cause: str
    stuck: bool
    what: str
    next: str
    due: float | None
    you: tuple[str, ...]


class Watch:
    """Tell it every event, ask it every second. `days_left` says for how many days it matters, `managed` whether the
    Terminal may be restarted by us."""

    def __init__(self, settings: IncidentConfig, *, days_left: Callable[[], int], managed: bool = False) -> None:
        self._settings = settings
        self._days_left = days_left
        self._managed = managed
        self._running = False
        self._told: Matter | None = None  # by a pause
        self._outage: Matter | None = None  # by the breaker
        self._slow: Matter | None = None
        self._alike: tuple[str, str, int] = ("", "", 0)  # kind, message of the last, how many in a row
        self._in_flight: set[Shard] = set()
        self._byte_at = 0.0
        self._saved_at = 0.0
        self.last_saved: Shard | None = None

    def hear(self, event: Event, now: float) -> None:
        """Take one event into account."""
        self._hear(event, now)

    def over(self) -> None:
        """The run has ended: nothing is the matter with it any more."""
        self._running = False
        self._told = None

    def matter(self, now: float) -> Matter | None:
        """The weightiest of what is the matter; None: all is well."""
        if self._told is not None or not self._running:
            return self._told
        return self._outage or self._sameness() or self._silence(now) or self._standstill(now) or self._slow

    def _sameness(self) -> Matter | None:
        kind, message, number = self._alike
        if number < self._settings.alike:
            return None
        coming, you = _SAME.get(kind, _SAME["failed"])
        what = f"day after day ends in the same way ({kind}): {message}"
        return Matter("days-fail-alike", True, what, coming, None, (you,))

    def _silence(self, now: float) -> Matter | None:
        if not self._in_flight or now - self._byte_at < self._settings.no_byte_s:
            return None
        return Matter(
            "no-byte", True, f"requests are in flight, and no byte has come for {_minutes(self._settings.no_byte_s)}",
            "waits for the first byte, then gives up and asks again", None,
            ("large days may take minutes; if the Terminal has hung, restart it: no day is lost by that",),
        )  # fmt: skip

    def _standstill(self, now: float) -> Matter | None:
        if now - self._saved_at < self._settings.no_day_saved_s or not self._days_left():
            return None
        return Matter(
            "no-day-saved", False, f"no day has been saved for {_minutes(self._settings.no_day_saved_s)}",
            "goes on", None, ("slow line, or a slow Terminal? -v shows every attempt",),
        )  # fmt: skip

    @singledispatchmethod
    def _hear(self, event: Event, now: float) -> None:
        """Events that say nothing about the run's health."""

    @_hear.register
    def _(self, event: RunStarted, now: float) -> None:
        self._running = True
        self._well(now)

    @_hear.register
    def _(self, event: Paused, now: float) -> None:
        you = [event.hint] if event.hint else []
        if event.cause == "SessionTaken":
            suspects = [f"on this machine: {one}" for one in event.suspects] or [_NO_SUSPECT]
            you = [_OTHER_LOGIN, *suspects[:_SUSPECTS_TOLD], _HURRY]
        due = now + event.next_s if event.next_s else None
        cause = _CAUSES.get(event.cause, "paused")
        self._told = Matter(cause, True, event.message, event.next or "goes on by itself", due, tuple(you))

    @_hear.register
    def _(self, event: Resumed, now: float) -> None:
        self._told = None
        self._well(now)

    @_hear.register
    def _(self, event: BreakerChanged, now: float) -> None:
        if event.state == "closed":
            self._outage = None
        elif event.state == "open":
            self._outage = _outage(event, now)

    @_hear.register
    def _(self, event: ShardStarted, now: float) -> None:
        if not self._in_flight:
            self._byte_at = now
        self._in_flight.add(event.shard)

    @_hear.register
    def _(self, event: BytesReceived, now: float) -> None:
        self._byte_at = now

    @_hear.register(AttemptFailed | Checking)
    def _(self, event: AttemptFailed | Checking, now: float) -> None:
        self._in_flight.discard(event.shard)

    @_hear.register
    def _(self, event: ShardFinished, now: float) -> None:
        outcome = event.outcome
        self._in_flight.discard(outcome.shard)
        if isinstance(outcome, Failed | Refused):
            kind = outcome.kind if isinstance(outcome, Failed) else "refused"
            self._alike = (kind, outcome.message, self._alike[2] + 1 if kind == self._alike[0] else 1)
            return
        self._alike = ("", "", 0)
        if isinstance(outcome, Saved):
            self._saved_at, self.last_saved = now, outcome.shard

    @_hear.register
    def _(self, event: Slowed, now: float) -> None:
        self._slow = None if event.over else _slowness(event, managed=self._managed)

    @_hear.register(Stopping | RunFinished)
    def _(self, event: Stopping | RunFinished, now: float) -> None:
        self._running = False

    def _well(self, now: float) -> None:
        """Clocks begin anew: nothing could be saved, or come, before."""
        self._saved_at = self._byte_at = now
        self._in_flight.clear()


def _outage(event: BreakerChanged, now: float) -> Matter:
    due = now + event.wait_s
    if event.absent:
        you = "start the Terminal, or look why it does not answer (thetabulk doctor); this run goes on by itself"
        return Matter("terminal-absent", True, f"no Theta Terminal answers: {event.cause}", "looks again", due, (you,))
    you = "look at the Terminal's window; if it stays like this, restart the Terminal: no day is lost by that"
    return Matter("answers-bad", True, f"every request fails: {event.cause}", "tries one request", due, (you,))


def _slowness(event: Slowed, *, managed: bool) -> Matter:
    what = (
        f"answers have become slow: {event.rate / _MB:.2f} MB/s, and it was {event.rate_before / _MB:.2f}; a megabyte "
        f"takes {event.seconds:.1f} s instead of {event.seconds_before:.1f} s"
    )
    if managed:
        return Matter("slow", False, what, "restarts the Terminal between two days", None, ())
    you = "is the line busy? Terminals have become slow after hours: restart it, this run waits for it meanwhile"
    return Matter("slow", False, what, "goes on, slowly", None, (you,))


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"

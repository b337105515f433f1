"""What to do about a Terminal that has lost its session or the vendor: when to look again, and what a look means. Pure.

One account has one session, and the vendor frees a session that was taken in 5 to 15 minutes (incident 1): whoever asks
meanwhile, or logs in again, makes it longer, and fights whoever has it now. So: nothing at all for the cool-down, then
one look. A lost connection comes back by itself: a small look, more and more seldom.
"""

from dataclasses import dataclass
from enum import StrEnum

from thetabulk.config import RunConfig
from thetabulk.errors import NotConnected, SessionTaken

Lost = SessionTaken | NotConnected
MOMENT_S = 0.001
"""Less is a matter of rounding."""


class Sight(StrEnum):
    """What a look at the Terminal finds: its status first, and only if that is well a small request for data."""

    WELL = "well"
    AWAY = "away"  # it is not connected, or nobody answers
    SILENT = "silent"  # it says that it is connected, and the request for data says that it is not (fault row D15)
    TAKEN = "taken"  # it has no session


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the Terminal, and what it said."""

    sight: Sight
    said: str = ""


class Guard:
    """How long to wait before the next look; seconds of any monotonic clock.

    It remembers until a day is saved: a Terminal that is well when it is looked at, and lost again with the next day,
    is asked more and more seldom, and the limit of a pause counts from the first loss.
    """

    def __init__(self, settings: RunConfig) -> None:
        self._settings = settings
        self._wait_s = 0.0
        self._since: float | None = None
        self._is_lost = False
        self.taken = False

    def saved(self) -> None:
        """A day was saved: all is well, unless it was under way when the Terminal was lost."""
        if not self._is_lost:
            self._wait_s = 0.0
            self._since = None

    def lost(self, what: Lost, now: float) -> None:
        """A request for data met this."""
        if self._since is None:
            self._since = now
        self._is_lost = True
        self.taken = isinstance(what, SessionTaken)
        self._grow(self._settings.connection_probe_max_s)

    def looked(self, sight: Sight) -> None:
        """What the last look found. Silence says nothing new about a session that was taken."""
        self._is_lost = sight is not Sight.WELL
        if sight is Sight.TAKEN or (sight is Sight.SILENT and self.taken):
            self.taken = True
        elif sight is not Sight.WELL:
            away, settings = sight is Sight.AWAY, self._settings
            self.taken = False
            self._grow(settings.connection_poll_max_s if away else settings.connection_probe_max_s)

    def wait_s(self, now: float) -> float:
        """Until the next look; never beyond the limit of a pause."""
        wait_s = self._settings.session_cooldown_s if self.taken else self._wait_s
        return min(wait_s, max(0.0, self._limit(now) - now))

    def overdue(self, now: float) -> bool:
        """Whether it has been lost for longer than a pause may last."""
        return now >= self._limit(now) - MOMENT_S

    def _limit(self, now: float) -> float:
        return (now if self._since is None else self._since) + self._settings.pause_limit_s

    def _grow(self, most_s: float) -> None:
        self._wait_s = min(most_s, max(self._settings.connection_poll_first_s, self._wait_s * 2))


def still_lost(look: Look, before: Lost) -> Lost | None:
    """What is still in the way after a look, in the words of the latest; None: nothing is."""
    if look.sight is Sight.WELL:
        return None
    if look.sight is Sight.SILENT or not look.said:
        return before
    kind = SessionTaken if look.sight is Sight.TAKEN else NotConnected
    return kind(look.said, hint=before.hint if isinstance(before, kind) else "")

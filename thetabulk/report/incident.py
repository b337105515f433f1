"""An incident as one block that can be read cold: what, since when, what comes next, what to do. Pure."""

from textwrap import wrap

from thetabulk.events import Incident
from thetabulk.report.units import duration, printable
from thetabulk.wording import counted

ENDS = ("ended", "stopped")
"""The states after which nothing more is told of an incident: it is over, or the run is."""

_LABEL = 6  # columns of the words before the text
_MOST_LINES = 3  # of one text: a message from elsewhere shall not push the others off the screen
_MOST_ADVICE = 5


def heading(incident: Incident, lasted_s: float) -> str:
    """`STUCK since 14:02, for 12 min 3 s · 1,204 days wait`."""
    word = "STUCK" if incident.stuck else "SLOW"
    since = f"{incident.since.astimezone():%H:%M}"
    waiting = f" · {counted(incident.days_left, 'day', 'waits', 'wait')}" if incident.days_left else ""
    return f"{word} since {since}, for {duration(lasted_s)}{waiting}"


def block(incident: Incident, width: int, *, told_s: float = 0.0) -> list[str]:
    """The lines of a running incident that was told `told_s` seconds ago, each at most `width` wide."""
    left_s = max(0.0, incident.next_s - told_s)
    coming = f"in {duration(left_s)}: {incident.next}" if left_s >= 1 else incident.next
    lines = [printable(heading(incident, incident.lasted_s + told_s))[:width]]
    lines += _told("what", incident.what, width)
    lines += _told("next", coming, width)
    for number, advice in enumerate(incident.you[:_MOST_ADVICE]):
        lines += _told("you" if not number else "", advice, width)
    return lines


def over(incident: Incident) -> str:
    """`over after 12 min 3 s: no Theta Terminal answers: refused`; `stopped after … s; still: …` if it is not over."""
    if incident.state == "stopped":
        return f"stopped after {duration(incident.lasted_s)}; still: {incident.what}"
    return f"over after {duration(incident.lasted_s)}: {incident.what}"


def _told(label: str, text: str, width: int) -> list[str]:
    lines = wrap(printable(text), width - _LABEL, break_on_hyphens=False) or [""]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1][: width - _LABEL - 1]}…"]
    return [f"{label if not number else '':<{_LABEL}}{each}".rstrip() for number, each in enumerate(lines)]

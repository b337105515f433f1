"""Progress as plain lines without control codes: for pipes, logs, narrow or dumb terminals, and NO_COLOR."""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from thetabulk.events import AttemptFailed, BreakerChanged, ChunkReached, Event, Incident, LimitChanged, RunStarted
from thetabulk.report import summary
from thetabulk.report.bar import percent
from thetabulk.report.incident import ENDS, block
from thetabulk.report.sentences import SIMULATED, circumstances, is_warning, sentence, title
from thetabulk.report.tally import Tally
from thetabulk.report.units import ascii_only, count, duration, printable, rate, span

_EVERY_S = 10.0
_DETAILS = (AttemptFailed, BreakerChanged, LimitChanged)


def totals(tally: Tally, now: float) -> str:
    """`312 of 2,012 days (15 %) · 300 saved · 10 empty · 2 failed · 14.2 MB/s · 3–4 h left`."""
    days = tally.days()
    parts = [f"{count(tally.done)} of {count(tally.todo)} days ({percent(tally.done, tally.todo)})"]
    parts += [f"{count(days[kind])} {kind}" for kind in ("saved", "empty", "refused", "failed") if days[kind]]
    parts.append(rate(tally.rate(now)) + (", the drive is the brake" if tally.drive else ""))
    left = tally.time_left(now)
    return " · ".join([*parts, f"{span(*left)} left"] if left else parts)


class PlainScreen:
    """Writes a line per notable event, and every ten seconds how far the run is."""

    def __init__(
        self,
        stream: TextIO,
        now: Callable[[], float],
        *,
        opening: str,
        quiet: bool = False,
        verbose: bool = False,
        width: int = 80,
    ) -> None:
        self.tally = Tally()
        self._stream = stream
        self._now = now
        self._opening = opening
        self._quiet = quiet
        self._verbose = verbose
        self._width = max(40, width)
        self._told_at = now()
        self._incident: tuple[str, str] = ("", "")

    def __enter__(self) -> Self:
        if not self._quiet:
            self._write(f"{self._opening} …")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.tally.finished:
            for line in summary.lines(self.tally, self._now(), self._width):
                self._write(line)

    def emit(self, event: Event) -> None:
        """Take an event; write what is to be written."""
        now = self._now()
        self.tally.add(event, now)
        if isinstance(event, Incident):
            self._tell_incident(event)
            return
        if self._quiet:
            if is_warning(event):
                self._write(sentence(event))
            return
        if isinstance(event, RunStarted):
            self._head(event)
        elif (text := sentence(event)) and (self._verbose or not isinstance(event, _DETAILS)):
            self._write(text)
        if isinstance(event, ChunkReached) or now - self._told_at >= _EVERY_S:
            self._told_at = now
            if self.tally.run:
                self._write(f"[{duration(self.tally.elapsed_s(now))}] {totals(self.tally, now)}")

    def _tell_incident(self, incident: Incident) -> None:
        """The block once, and again when something else is the matter: not with every look that finds the same."""
        if incident.state in ENDS:
            self._write(sentence(incident))
            self._incident = ("", "")
        elif self._incident != (incident.cause, incident.what):
            self._incident = (incident.cause, incident.what)
            for line in block(incident, self._width):
                self._write(line)

    def _head(self, run: RunStarted) -> None:
        if run.source == "simulator":
            self._write(f"{SIMULATED}: no real market data")
        for line in (title(run, self._width), *circumstances(run, None, self._width)):
            self._write(line)
        self._write(f"{count(run.todo)} of {count(run.wanted)} days to do, {count(run.done)} done before")

    def _write(self, line: str) -> None:
        encoding = (getattr(self._stream, "encoding", None) or "utf-8").lower()
        text = line if encoding.replace("-", "").startswith("utf") else ascii_only(line)
        self._stream.write(printable(text).rstrip() + "\n")
        self._stream.flush()

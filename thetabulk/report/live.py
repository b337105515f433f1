"""The screen of a run, drawn again several times a second on a terminal."""

from collections.abc import Callable
from threading import Lock
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from thetabulk.events import (
    BoundaryFound,
    BoundarySkipped,
    ChunkReached,
    Event,
    Incident,
    RoundStarted,
    RunFinished,
    Stopping,
)
from thetabulk.report import summary
from thetabulk.report.drawing import draw
from thetabulk.report.sentences import is_warning, sentence
from thetabulk.report.tally import Tally
from thetabulk.report.units import ascii_only, printable

_DRAWN = (ChunkReached, RoundStarted, Stopping)  # they have a place of their own on the screen
_STAYS = (BoundaryFound, BoundarySkipped)


class LiveScreen:
    """Draws from the moment it is entered, so that something moves while libraries and drives wake up.

    Rich draws in a thread of its own: a lock keeps it from reading a half-counted event.
    """

    def __init__(self, stream: TextIO, now: Callable[[], float], *, opening: str, refresh_per_s: float = 4.0) -> None:
        self.tally = Tally()
        self._now = now
        self._opening = opening
        self._notable = ""
        self._lock = Lock()
        self._console = Console(file=stream, highlight=False)
        self._unicode = (self._console.encoding or "").lower().replace("-", "").startswith("utf")
        self._live = Live(
            console=self._console,
            get_renderable=self._drawn,
            refresh_per_second=refresh_per_s,
            transient=True,
            redirect_stdout=False,
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        for line in summary.lines(self.tally, self._now(), min(80, self._console.width)):
            self._console.print(Text(printable(line if self._unicode else ascii_only(line))))

    def emit(self, event: Event) -> None:
        """Take an event. What should stay readable is written above the moving part."""
        with self._lock:
            self.tally.add(event, self._now())
            text = "" if isinstance(event, _DRAWN) else sentence(event)
            self._notable = text or self._notable
        if text and (is_warning(event) or isinstance(event, _STAYS)):
            self._console.print(Text(printable(text), style="yellow" if is_warning(event) else ""))
        if isinstance(event, RunFinished | Stopping | Incident):
            self._live.refresh()

    def _drawn(self) -> Text:
        with self._lock:
            return draw(
                self.tally,
                self._console.width,
                self._now(),
                opening=self._opening,
                notable=self._notable,
                unicode=self._unicode,
            )

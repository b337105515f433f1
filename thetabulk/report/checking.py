"""How far a check of the store is: a bar for a terminal, now and then a line for everything else."""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from thetabulk.report.units import ascii_only, count, rate, size, span

_EVERY_S = 10.0


def sentence(files: int, of_files: int, done: int, total: int, elapsed_s: float) -> str:
    """`312 of 2,012 files · 4.10 GB of 30.2 GB · 512 MB/s · 40–60 s left`."""
    parts = [f"{count(files)} of {count(of_files)} files", f"{size(done)} of {size(total)}"]
    if elapsed_s >= 1 and done:
        left = elapsed_s / done * (total - done)
        parts += [rate(done / elapsed_s), f"{span(left * 0.8, left * 1.3)} left"]
    return " · ".join(parts)


class Checking:
    """Enter it, call `tell` for every file, leave it. `live`: one line on a terminal, drawn again and again."""

    def __init__(self, stream: TextIO, now: Callable[[], float], *, live: bool, quiet: bool = False) -> None:
        self._stream = stream
        self._now = now
        self._live = live
        self._quiet = quiet
        self._started = self._told = now()
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def tell(self, files: int, of_files: int, done: int, total: int) -> None:
        """So many files and bytes, of how many in all."""
        now = self._now()
        if files == of_files:
            self._clear()  # what comes next on this terminal begins with an empty line
        elif not self._quiet and now - self._told >= (0.2 if self._live else _EVERY_S):
            self._told = now
            self._write(sentence(files, of_files, done, total, now - self._started))

    def _write(self, text: str) -> None:
        encoding = (getattr(self._stream, "encoding", None) or "utf-8").lower()
        text = text if encoding.replace("-", "").startswith("utf") else ascii_only(text)
        self._stream.write(f"\r\x1b[K{text[:79]}" if self._live else f"{text}\n")
        self._stream.flush()
        self._drawn = self._live

    def _clear(self) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

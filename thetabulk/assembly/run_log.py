"""The log of a run: every event as JSON Lines, one file a run, in this user's state folder.

Never on the store's drive: a drive that is gone must not be written to, and the log is read when something is wrong
with it. Only a convenience: a state folder that cannot be written has no log, and the run does not notice.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from thetabulk import state
from thetabulk.assembly import clock
from thetabulk.config import Config, LogConfig
from thetabulk.errors import ThetabulkError
from thetabulk.events import Emit, Event, Notice, RunFinished
from thetabulk.report.jsonl import JsonScreen

FOLDER = "runs"
_SUFFIX = ".jsonl"
_AS_ASKED = (0, 11, 129, 130, 143)  # complete, or stopped by somebody who knows why


class RunLog:
    """Writes events to a file of its own below `folder`, named by time and process, and removes the oldest files of
    other runs. Only its owner may read it. Bounded: when it holds half of `max_bytes`, it becomes `….jsonl.1`, and the
    one before that goes. After the first error of the disk nothing more is written, and nothing is raised."""

    def __init__(self, folder: Path, settings: LogConfig, clock: Callable[[], datetime], pid: int) -> None:
        self.path = folder / f"{clock():%Y%m%dT%H%M%SZ}-{pid}{_SUFFIX}"
        self.whole = True
        self._half_bytes = settings.max_bytes // 2
        self._stream: BinaryIO | None = None
        self._size = 0
        self._lines = JsonScreen(self, clock)
        remove_oldest(folder, settings.keep - 1)

    def emit(self, event: Event) -> None:
        self._lines.emit(event)

    def write(self, text: str, /) -> None:
        """For the JSON writer: one line, with its end."""
        line = text.encode()
        if not self.whole:
            return
        try:
            if self._stream is None or self._size + len(line) > self._half_bytes:
                self._begin()
            assert self._stream is not None
            self._size += len(line)
            if self._stream.write(line) != len(line):
                raise OSError("a full disk takes a part of a line")
        except OSError:
            self.whole = False
            self.close()

    def flush(self) -> None:
        """Nothing: every line is written at once."""

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()

    def _begin(self) -> None:
        if self._stream is not None:
            self.close()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._stream = os.fdopen(descriptor, "ab", buffering=0)
        self._size = 0


def remove_oldest(folder: Path, keep: int) -> None:
    """Of the logs there the newest `keep` runs stay; their names are in the order of time."""
    with suppress(OSError):
        files = sorted(file for file in folder.iterdir() if _SUFFIX in file.suffixes)
        runs = sorted({_run_of(file) for file in files})
        gone = set(runs[: max(0, len(runs) - keep)])
        for file in files:
            if _run_of(file) in gone:
                file.unlink(missing_ok=True)


def _run_of(file: Path) -> str:
    return file.name.partition(_SUFFIX)[0]


@contextmanager
def logged(config: Config, emit: Emit) -> Iterator[Emit]:
    """An `emit` that writes the log too, until the block ends. Where the log is, is told at once if every event is to
    be told (`-v`), else before the last word of a run that has ended badly. What is raised is written down."""
    if not config.log.keep:
        yield emit
        return
    log = RunLog(state.state_folder() / FOLDER, config.log, clock.now, os.getpid())
    try:
        yield telling(log, emit, at_once=config.screen.verbose)
    except ThetabulkError as error:
        log.emit(Notice(f"{error.what} — {error.hint}" if error.hint else error.what, "warning"))
        raise
    finally:
        log.close()


def telling(log: RunLog, emit: Emit, *, at_once: bool) -> Emit:
    """Every event to the log and to the listener, and once where the log is; not if it could not be written."""
    told = False

    def tell(event: Event) -> None:
        nonlocal told
        log.emit(event)
        bad = isinstance(event, RunFinished) and event.exit_code not in _AS_ASKED
        if not told and log.whole and (at_once or bad):
            told = True
            emit(Notice(f"the log of this run: {log.path}"))
        emit(event)

    return tell

"""A file whose time moves while a run lives, whatever the run is waiting for: for whoever watches from outside."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread

from thetabulk.config import IncidentConfig
from thetabulk.events import Emit, Notice

_PATIENCE_S = 2.0


class Heartbeat:
    """Writes what `content` says every `heartbeat_every_s` seconds, if a file is wanted at all."""

    def __init__(
        self, settings: IncidentConfig, content: Callable[[], Mapping[str, object]], emit: Emit,
        monotonic: Callable[[], float],
    ) -> None:  # fmt: skip
        self._path = Path(settings.heartbeat).expanduser() if settings.heartbeat else None
        self._every_s = settings.heartbeat_every_s
        self._content = content
        self._emit = emit
        self._monotonic = monotonic
        self._writing: asyncio.Task[None] | None = None
        self._due = float("-inf")
        self._failed = False

    def beat(self) -> None:
        """Not while the last one is still being written: a drive that hangs shall hold up nothing else."""
        writing = self._writing is not None and not self._writing.done()
        if self._path is not None and self._monotonic() >= self._due and not writing:
            self._due = self._monotonic() + self._every_s
            self._writing = asyncio.ensure_future(self._write(self._path))

    async def last(self) -> None:
        """One more, with how it ended; no longer than a moment."""
        if self._writing is not None:
            await asyncio.wait((self._writing,), timeout=_PATIENCE_S)
        self._due = float("-inf")
        self.beat()
        if self._writing is not None:
            await asyncio.wait((self._writing,), timeout=_PATIENCE_S)

    async def _write(self, path: Path) -> None:
        problem = await _in_daemon(partial(write, path, self._content()))
        if problem and not self._failed:
            self._emit(Notice(f"the heartbeat file {path} cannot be written: {problem}", "warning"))
        self._failed = bool(problem)


async def _in_daemon(work: Callable[[], str]) -> str:
    """What the work returns. In a thread that the end of the process does not wait for, unlike those of the loop."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def tell(problem: str) -> None:
        if not answer.done():
            answer.set_result(problem)

    def do() -> None:
        problem = work()
        with suppress(RuntimeError):  # the run is over by now
            loop.call_soon_threadsafe(tell, problem)

    Thread(target=do, name="heartbeat", daemon=True).start()
    return await answer


def write(path: Path, document: Mapping[str, object]) -> str:
    """Replaces the file, so that a reader never finds half of it; "" or why that could not be done. May block."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        scratch.write_text(json.dumps(document) + "\n", encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink()
        return error.strerror or type(error).__name__
    return ""

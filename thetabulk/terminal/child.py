"""A Terminal that runs: started by us, or found again after our supervisor was killed."""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Protocol

from thetabulk.errors import TerminalUnavailable
from thetabulk.terminal import leash
from thetabulk.terminal.causes import Seen, after, pardoned
from thetabulk.terminal.ownership import TOKEN, Mark, is_ours, mark
from thetabulk.terminal.rotation import LINE_BYTES, RotatingLog, redacted

_LINES_KEPT = 200
_JOIN_S = 2.0


class Life(Protocol):
    """What a supervisor has to know of a Terminal of its own."""

    @property
    def mark(self) -> Mark: ...
    @property
    def seen(self) -> Seen: ...
    @property
    def lines(self) -> int: ...
    @property
    def first_time(self) -> bool: ...
    def has_ended(self) -> bool: ...
    @property
    def code(self) -> int | None: ...
    def tail(self, count: int) -> list[str]: ...
    def pardon(self) -> None:
        """It is connected: what its log has complained of before explains nothing that comes later."""

    def signal(self, *, kill: bool) -> None:
        """TERM or KILL to the process itself, if it is our own child: the way where its environment cannot be read."""


class Child:
    """A Terminal that we started. Its output is read to the end by a thread, redacted, and kept in `log`: a full pipe
    would stop Java. Death is told by the system alone, never by a missing log (post-mortem P4).

    With `leashed` it does not outlive us where the system can see to that (Linux). To be made in the main thread.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: RotatingLog,
        leashed: bool, first_time: bool = False,
    ) -> None:  # fmt: skip
        """TerminalUnavailable if it cannot be run."""
        if leashed and sys.platform == "linux":
            command = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *command]
        try:
            self._process = subprocess.Popen(
                command, env=dict(environment), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise TerminalUnavailable(f"{command[0]} cannot be run: {error.strerror}") from error
        self._mark = mark(self._process.pid, environment[TOKEN])  # not reaped yet: the pid is its own
        self.seen = Seen()
        self.lines = 0
        self.first_time = first_time
        self._log = log
        self._tail: deque[str] = deque(maxlen=_LINES_KEPT)
        self._telling = Lock()  # `seen` is changed from two threads
        self._last_words_s = _JOIN_S
        assert self._process.stdout is not None
        self._reader = Thread(target=self._read, args=(self._process.stdout,), name="terminal-log", daemon=True)
        self._reader.start()

    @property
    def mark(self) -> Mark:
        return self._mark

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    def has_ended(self) -> bool:
        """Asked of the system; what it said last has been read by then."""
        if self._process.poll() is None:
            return False
        self._reader.join(self._last_words_s)  # a child of its own may hold the pipe open for longer
        self._last_words_s = 0.0
        return True

    def pardon(self) -> None:
        with self._telling:
            self.seen = pardoned(self.seen)

    def signal(self, *, kill: bool) -> None:
        with suppress(OSError):  # Popen signals nobody once it has collected the child
            self._process.kill() if kill else self._process.terminate()

    def tail(self, count: int) -> list[str]:
        """The last lines of its output, redacted."""
        return list(self._tail)[-count:]

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(LINE_BYTES):
                text = redacted(line.decode("utf-8", "replace").rstrip())
                self._log.write(text)
                self._tail.append(text)
                with self._telling:
                    self.seen = after(self.seen, text)
                self.lines += 1
            self._log.close()
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()


class Orphan:
    """A Terminal that a supervisor of ours started, before it was killed. It is not our child: how it ends, and what
    it logs from now on, nobody can see."""

    code: int | None = None
    lines = 0
    first_time = False

    def __init__(self, known: Mark) -> None:
        self.mark = known
        self.seen = Seen()

    def has_ended(self) -> bool:
        return not is_ours(self.mark)

    def tail(self, count: int) -> list[str]:
        return []

    def pardon(self) -> None:
        """Its log cannot be seen: there is nothing to forget."""

    def signal(self, *, kill: bool) -> None:
        """It is known by its token alone: who cannot be seen to carry it is left alone."""

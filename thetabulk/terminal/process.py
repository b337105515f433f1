"""Processes that we start, and facts about this machine. We signal only what we started."""

import re
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from threading import Thread
from types import TracebackType
from typing import Self

import psutil

from thetabulk.errors import TerminalUnavailable, UsageError

_STOP_S = 10.0
_LISTENING = re.compile(r"Starting server at\W+(?:http://)?(127\.0\.0\.1:\d+)")


def memory_percent() -> float:
    """The share of the machine's memory that is not available to anyone."""
    return float(psutil.virtual_memory().percent)


class SimulatorProcess:
    """`python -m thetabulk.simulator` in a process of its own, from `__enter__` to `__exit__`; `url` is where it
    listens. Its own process, so that the client's measurements and a `--size real` market do not share one
    interpreter."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._command = [sys.executable, "-m", "thetabulk.simulator", *arguments]
        self._listener: Thread | None = None
        self.url = ""

    def __enter__(self) -> Self:
        """TerminalUnavailable, with what it said, if it does not come up; UsageError if it does not like its
        arguments."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            return self._listening()
        except BaseException:  # Ctrl-C too: it has a session of its own, and would not hear of it
            self._stop()
            raise

    def _listening(self) -> Self:
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line.strip())
            if found := _LISTENING.search(line):
                self.url = f"http://{found[1]}"
                self._listener = Thread(target=deque, args=(self._process.stdout, 0), daemon=True)
                self._listener.start()  # a full pipe would stop whoever writes into it
                return self
        if self._process.wait() == UsageError.exit_code and said:
            raise UsageError(f"the simulator says: {said[-1].partition('error: ')[2] or said[-1]}",
                             hint="thetabulk simulate --help")  # fmt: skip
        raise TerminalUnavailable(f"the simulator did not start: {' / '.join(said[-3:])}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._listener is not None:
            self._listener.join(_STOP_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

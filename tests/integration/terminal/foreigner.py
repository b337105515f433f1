"""A program that is not ours, looks as much like ours as it can, and writes down every signal that it gets."""

import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

_PROGRAM = """
import signal, sys
def note(number, frame):
    with open(sys.argv[1], "a") as stream:
        stream.write(f"{number}\\n")
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
    signal.signal(number, note)
print("ready", flush=True)
sys.stdin.read()
"""


class Foreigner:
    """From `__enter__` to `__exit__`. KILL and STOP cannot be caught: `untouched` also says that it lives and runs."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._record = folder / "signals"
        self._command = [sys.executable, "-c", _PROGRAM, str(self._record), *words]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(b"")

    @property
    def pid(self) -> int:
        return self._process.pid

    def signals(self) -> list[str]:
        """What it got, by name."""
        numbers = self._record.read_text().split() if self._record.exists() else []
        return [signal.Signals(int(number)).name for number in numbers]

    @property
    def untouched(self) -> bool:
        return self._process.poll() is None and self.signals() == []

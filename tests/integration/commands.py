"""How commands are given here: in this process, for speed, or as processes of their own, where that is the point."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thetabulk.cli.app import main

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 60.0
SETTINGS = {
    "THETABULK_FETCH_LAUNCH_GAP_S": "0",
    "THETABULK_FETCH_BACKOFF_FIRST_S": "0.01",
    "THETABULK_FETCH_BREAKER_FIRST_S": "0.05",
    "THETABULK_FETCH_BREAKER_MAX_S": "0.2",
    "THETABULK_STORE_RESERVE_BYTES": "0",
    "THETABULK_SCREEN_KEEP_AWAKE": "no",
}
"""The product's own settings, made impatient; nothing here weakens what is promised."""

COMMAND = (sys.executable, "-c", "import sys; from thetabulk.cli.app import main; sys.exit(main())")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """JSON Lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def document(self) -> dict[str, Any]:
        """The last JSON of stdout: with `download --json` the event `finished`."""
        return self.lines[-1]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == name]

    @property
    def told(self) -> str:
        """Everything that was said, to programs and to people."""
        return self.out.decode() + self.err

    @property
    def collection(self) -> dict[str, Any]:
        """The only line of the last word's table."""
        [row] = self.document["collections"]
        return dict(row)

    @property
    def counts(self) -> dict[str, int]:
        """The days by outcome, without what there is none of."""
        kinds = ("saved", "proven", "empty", "refused", "failed", "pending")
        return {kind: self.collection[kind] for kind in kinds if self.collection[kind]}


def thetabulk(*arguments: str | Path) -> Done:
    """A command line in this process."""
    raw = io.BytesIO()
    out, err = io.TextIOWrapper(raw, encoding="utf-8", write_through=True), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), _at_most(PATIENCE_S):
        code = main([str(argument) for argument in arguments])
        out.flush()
    return Done(code, raw.getvalue(), err.getvalue())


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Ctrl-C twice when the time is over: a test that hangs fails."""

    def press() -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(seconds, press)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a process of ours gets to see: a home of its own, and the settings above."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("THETABULK_")}
    folders = {name: str(home / name.lower()) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    return {**kept, **folders, "HOME": str(home), "PYTHONPATH": str(REPOSITORY), **SETTINGS, **more}


@contextmanager
def process(*arguments: str | Path, home: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command line in a process of its own; killed at the latest when the block ends."""
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=environment(home, **more),
    ) as running:  # fmt: skip
        try:
            yield running
        finally:
            running.kill()

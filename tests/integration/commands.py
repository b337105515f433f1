"""How commands are given here: in this process, for speed, or as processes of their own, where that is the point."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from thetabulk.cli.app import main

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 60.0
SETTINGS = {
    "THETABULK_FETCH_LAUNCH_GAP_S": "0",
    "THETABULK_FETCH_BACKOFF_FIRST_S": "0.01",
    "THETABULK_FETCH_BREAKER_FIRST_S": "0.05",
    "THETABULK_FETCH_BREAKER_MAX_S": "0.2",
    "THETABULK_FETCH_BREAKER_FAILING_MAX_S": "0.2",
    "THETABULK_RUN_CONNECTION_POLL_FIRST_S": "0.02",
    "THETABULK_RUN_CONNECTION_POLL_MAX_S": "0.2",
    "THETABULK_RUN_CONNECTION_PROBE_MAX_S": "0.2",
    "THETABULK_RUN_SESSION_COOLDOWN_S": "0.3",
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
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
        out.flush()
    return Done(code, raw.getvalue(), err.getvalue())


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a process of ours gets to see: a home of its own, and the settings above."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("THETABULK_")}
    folders = {name: str(home / name.lower()) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    return {**kept, **folders, "HOME": str(home), "PYTHONPATH": str(REPOSITORY), **SETTINGS, **more}


class Running:
    """A process of ours; `err` is what it has said to people so far."""

    def __init__(self, popen: "subprocess.Popen[bytes]", stderr: Path) -> None:
        self.popen = popen
        self._stderr = stderr

    @property
    def err(self) -> str:
        return self._stderr.read_text(encoding="utf-8")

    def lines(self) -> Iterator[str]:
        """What it says to programs, as it comes, to its end."""
        assert self.popen.stdout is not None
        return (line.decode() for line in self.popen.stdout)

    def until(self, event: str, times: int = 1, **fields: object) -> None:
        """Reads its JSON Lines until so many events of a name have come; fails if it ends before."""
        for line in self.lines():
            document = json.loads(line)
            if document["event"] == event and all(document[name] == value for name, value in fields.items()):
                times -= 1
                if not times:
                    return
        raise AssertionError(f"it ended without {event}: {self.popen.wait()}, {self.err}")

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def ended(self) -> Done:
        """Waits for its end; what it had said before `until` returned is left out."""
        out = "".join(self.lines()).encode()
        return Done(self.popen.wait(), out, self.err)


@contextmanager
def process(
    *arguments: str | Path, home: Path, command: Sequence[str] = COMMAND, patience_s: float = PATIENCE_S, **more: str
) -> Iterator[Running]:  # fmt: skip
    """A command line in a process of its own, killed when the block ends or the patience does. `more` are settings."""
    home.mkdir(exist_ok=True)
    with NamedTemporaryFile(dir=home, suffix=".stderr", delete=False) as stderr:
        popen = subprocess.Popen(
            [*command, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
            env=environment(home, **more),
        )  # fmt: skip
    timer = threading.Timer(patience_s, popen.kill)
    timer.start()
    try:
        yield Running(popen, Path(stderr.name))
    finally:
        timer.cancel()
        popen.kill()
        popen.communicate()


@contextmanager
def simulator_process(
    *arguments: str, home: Path, port: int = 0, patience_s: float = PATIENCE_S
) -> Iterator[tuple[Running, str]]:  # fmt: skip
    """`python -m thetabulk.simulator` at a port, and its URL; it can be killed."""
    command = (sys.executable, "-m", "thetabulk.simulator")
    with process("--port", str(port), *arguments, home=home, command=command, patience_s=patience_s) as running:
        address = next(line.split()[-1] for line in running.lines() if line.startswith("Starting server at"))
        yield running, f"http://{address}"

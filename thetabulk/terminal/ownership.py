"""Which processes are ours, and signals to these and to no others.

Ours is what carries our token in its environment; the one that we started also has the pid and the time of creation
that we wrote down. A pid alone proves nothing: it may belong to another program today (post-mortem P3).
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from thetabulk.errors import NotPermitted

TOKEN = "STARTED_BY_THETABULK"  # noqa: S105 - a variable's name
"""The variable's name; children of the Terminal inherit it. Not one of our settings, which are THETABULK_*."""

_CLOCK_S = 2.0
"""Times of creation are counted from the boot time, which moves a little when the clock is set."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Who a process is: its pid, when it was created (seconds since 1970), and our token in its environment."""

    pid: int
    created: float
    token: str


def new_token() -> str:
    return secrets.token_hex(16)


def mark(pid: int, token: str) -> Mark:
    """Of a process that we have just started. One that is gone already has no time of creation: nobody is it."""
    try:
        return Mark(pid, psutil.Process(pid).create_time(), token)
    except psutil.Error:
        return Mark(pid, 0.0, token)


def is_ours(known: Mark) -> bool:
    """Whether this very process is still alive. What the system does not let us see is not ours."""
    try:
        process = psutil.Process(known.pid)
        same = abs(process.create_time() - known.created) <= _CLOCK_S
        return same and process.status() != psutil.STATUS_ZOMBIE and _carries(process, known.token)
    except (psutil.Error, OSError):
        return False


def family(token: str) -> list[psutil.Process]:
    """Every living process that carries the token: what we started, and what that has started."""
    return [process for process in psutil.process_iter() if _lives(process) and _carries(process, token)]


def signal_family(token: str, *, kill: bool) -> list[int]:
    """TERM (or KILL) to every process that carries the token; the pids that were signalled.

    psutil compares a process's time of creation once more before it signals.
    """
    signalled = []
    for process in family(token):
        with suppress(psutil.Error, OSError):
            process.kill() if kill else process.terminate()
            signalled.append(process.pid)
    return signalled


def listens(token: str, port: int) -> bool:
    """Whether one of ours has this port: only then may it be asked to shut down, for the request stops whoever hears
    it."""
    return any(port in _ports(process) for process in family(token))


@dataclass(frozen=True, slots=True)
class Record:
    """What is written down about a Terminal that we started, and about who supervises it. `details` is for people."""

    terminal: Mark | None = None
    supervisor: Mark | None = None
    details: dict[str, object] | None = None


def read_record(path: Path) -> Record:
    """An empty one if there is none, or it is not whole."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        details = told.get("details")
        return Record(
            _read_mark(told.get("terminal")), _read_mark(told.get("supervisor")),
            details if isinstance(details, dict) else None,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Record()


def write_record(path: Path, record: Record) -> None:
    """Replaces it as a whole; only the owner may read it. NotPermitted if it cannot be written."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    told = {"terminal": _told(record.terminal), "supervisor": _told(record.supervisor), "details": record.details}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.unlink(missing_ok=True)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(told, stream, indent=2, default=str)
            stream.write("\n")
        scratch.replace(path)
    except OSError as error:
        raise NotPermitted(f"{path} cannot be written: {error.strerror}",
                           hint="what is not written down as ours could never be stopped") from error  # fmt: skip


def _read_mark(told: object) -> Mark | None:
    if not isinstance(told, dict):
        return None
    return Mark(int(told["pid"]), float(told["created"]), str(told["token"]))


def _told(known: Mark | None) -> dict[str, object] | None:
    return {"pid": known.pid, "created": known.created, "token": known.token} if known else None


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, OSError):
        return False


def _carries(process: psutil.Process, token: str) -> bool:
    try:
        return bool(process.environ().get(TOKEN) == token)
    except (psutil.Error, OSError):
        return False


def _ports(process: psutil.Process) -> Iterator[int]:
    try:
        for each in process.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr:
                yield each.laddr.port
    except (psutil.Error, OSError):
        return

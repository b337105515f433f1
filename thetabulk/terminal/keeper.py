"""A supervisor of its own, which goes on when the command that started it has ended; and one supervisor a port."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import filelock
import psutil

from thetabulk.errors import NotPermitted, TerminalUnavailable
from thetabulk.terminal.ownership import TOKEN, Mark, is_ours, mark

_A_LOOK_S = 0.5  # longer than anybody looks whether the turn is taken, which takes it for a moment


@contextmanager
def turn(path: Path, *, patience_s: float = _A_LOOK_S) -> Iterator[bool]:
    """Whether this process supervises now; False: another one does. The system gives the turn back when we die.
    NotPermitted if the file cannot be made."""
    lock = filelock.FileLock(path, timeout=patience_s, mode=0o600)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        yield False
        return
    except OSError as error:
        raise NotPermitted(f"{path} cannot be written: {error.strerror}") from error
    try:
        yield True
    finally:
        lock.release()


def is_taken(path: Path) -> bool:
    """Whether somebody supervises now."""
    if not path.exists():
        return False
    with turn(path, patience_s=0.0) as ours:
        return not ours


def own_mark(environment: Mapping[str, str]) -> Mark:
    """Of this process; the token is "" unless it was started by `spawn`."""
    return mark(os.getpid(), environment.get(TOKEN, ""))


def spawn(
    command: Sequence[str], environment: Mapping[str, str], token: str, folder: Path, log: Path, log_bytes: int
) -> "subprocess.Popen[bytes]":
    """A process that carries the token, and does not end with us; what it says is added to `log`, in which another one
    may be writing. A log of `log_bytes` or more is put aside first, as `….1`. NotPermitted if it cannot be written,
    TerminalUnavailable if the process cannot be run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size >= log_bytes:
            log.replace(log.with_name(f"{log.name}.1"))
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise NotPermitted(f"{log} cannot be written: {error.strerror}") from error
    try:
        return subprocess.Popen(
            command, env=dict(environment) | {TOKEN: token}, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=descriptor, stderr=descriptor, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise TerminalUnavailable(f"the supervisor cannot be started: {error.strerror}") from error
    finally:
        os.close(descriptor)


def ask_to_end(known: Mark) -> bool:
    """TERM to a supervisor that we have started: it stops its Terminal, and ends. False if it is not one of ours."""
    if not known.token or not is_ours(known):
        return False
    try:
        psutil.Process(known.pid).terminate()
    except psutil.Error:
        return False
    return True

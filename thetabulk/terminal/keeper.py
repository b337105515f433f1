"""A supervisor of its own, which goes on when the command that started it has ended; and one supervisor a port."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import filelock
import psutil

from thetabulk.errors import TerminalUnavailable
from thetabulk.terminal.ownership import TOKEN, Mark, is_ours, mark, new_token


@contextmanager
def turn(path: Path) -> Iterator[bool]:
    """Whether this process supervises now; False: another one does. The system gives the turn back when we die."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_taken(path: Path) -> bool:
    """Whether somebody supervises now."""
    if not path.exists():
        return False
    with turn(path) as ours:
        return not ours


def own_mark(environment: Mapping[str, str]) -> Mark:
    """Of this process; the token is "" unless it was started by `spawn`."""
    return mark(os.getpid(), environment.get(TOKEN, ""))


def spawn(command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> "subprocess.Popen[bytes]":
    """A process that does not end with us; what it says goes to `log`. TerminalUnavailable if it cannot be run."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return subprocess.Popen(
            command, env=dict(environment) | {TOKEN: new_token()}, cwd=folder, stdin=subprocess.DEVNULL,
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

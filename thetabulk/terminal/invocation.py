"""How a Terminal that runs was started: which jar and credentials file it was told, in which folder. Looking only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_FILE_OPTION = re.compile(r"--?creds-file(?:=(?P<value>.+))?")
_KEY_OPTION = re.compile(r"--?api-?key(?:=.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Invocation:
    """`folder` is where it runs, None if the system does not tell; paths are absolute if that is known. `shows_key`:
    an API key stands in its command line, for every user of this machine to read."""

    folder: Path | None
    jar: Path | None = None
    credentials: Path | None = None
    shows_key: bool = False


def of_process(pid: int) -> Invocation | None:
    """What the system tells of a process; None if it is gone, or another user's."""
    try:
        process = psutil.Process(pid)
        argv, folder = process.cmdline(), Path(process.cwd())
    except (psutil.Error, OSError):
        return None
    return read(argv, folder)


def read(argv: Sequence[str], folder: Path | None) -> Invocation:
    """The meaning of a command line (thetadata-v3.md §4.1)."""
    jar = credentials = None
    for place, word in enumerate(argv):
        following = argv[place + 1] if place + 1 < len(argv) else ""
        if word == "-jar" and following:
            jar = _absolute(following, folder)
        elif option := _FILE_OPTION.fullmatch(word):
            told = option["value"] or following
            credentials = _absolute(told, folder) if told else credentials
    return Invocation(folder, jar, credentials, any(_KEY_OPTION.fullmatch(word) for word in argv[1:]))


def ancestry(pid: int) -> frozenset[int]:
    """A process and those it was started by: the vendor's bootstrapper starts the real Terminal."""
    try:
        return frozenset({pid, *(parent.pid for parent in psutil.Process(pid).parents())})
    except (psutil.Error, OSError):
        return frozenset({pid})


def _absolute(text: str, folder: Path | None) -> Path:
    return folder / text if folder else Path(text)

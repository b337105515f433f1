"""Who listens on a port, and which programs of this machine look like a Theta Terminal. Looking only: nothing is
signalled here. Command lines are shown without secrets (reliability.md §5: post-mortems P2, P3)."""

import errno
import re
import socket
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from thetabulk.redaction import INSTEAD, without_accounts

_SENSITIVE = r"(?i:[\w.-]*(?:api[._-]?key|passw(?:or)?d|passwd|secret|token|creds?|credentials?))"
_SECRET_OPTION = re.compile(rf"^-{{1,2}}{_SENSITIVE}$")
_SECRET_VALUE = re.compile(rf"((?:^|\s|-D|--?){_SENSITIVE}\s*=)\S+")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa1-\u2027\u2030-\u2065\u2070-\ud7ff]")

_HOSTS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))  # noqa: S104 - to look
"""Each is tried: BSD and macOS let one program have all addresses, and another a single one of them."""

_TERMINAL_JAR = re.compile(r"theta-?terminal[^/\\]*\.jar$|(?:^|[/\\])lib[/\\]20\d{7}\.jar$", re.IGNORECASE)
_JAVA = re.compile(r"(?:^|[/\\])javaw?(?:\.exe)?$", re.IGNORECASE)
_PYTHON = re.compile(r"(?:^|[/\\])python[\d.]*w?(?:\.exe)?$", re.IGNORECASE)
_LIBRARY = re.compile(r"(?:^|[/\\])thetadata(?:[/\\.]|$)|\b(?:import|from)\s+thetadata\b")


@dataclass(frozen=True, slots=True)
class Program:
    """A process as a person should see it: `command` without secrets, `started` in UTC where the system tells."""

    pid: int
    command: str
    started: datetime | None = None
    user: str = ""


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who listens. `program` is None where the system tells its owner to root only; `address` is "" then,
    if even that is not told."""

    address: str
    port: int
    program: Program | None


def listeners(port: int) -> tuple[Listener, ...]:
    """Who listens on this TCP port, on any address of this machine; empty: nobody does. Never raises."""
    try:
        found = [_listener(each.laddr, each.pid) for each in psutil.net_connections("tcp") if _listens(each, port)]
    except (psutil.Error, OSError):  # macOS: the list of all connections is for root
        found = list(_asked_one_by_one(port))
        if not found and not is_free(port):
            found = [Listener("", port, None)]
    return tuple(dict.fromkeys(found))


def is_free(port: int) -> bool:
    """Whether a server may have this port now, on any address. Asked by binding, as the server will: a connection
    proves less."""
    return all(_binds(family, host, port) for family, host in _HOSTS)


def _binds(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            if psutil.POSIX:  # as Java does: TIME_WAIT is no obstacle; on Windows the option means another thing
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except OSError as error:  # an address family that this machine does not have is no obstacle
        return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True


def lookalikes(own: Collection[int] = ()) -> tuple[Program, ...]:
    """The processes of this machine that look like a Theta Terminal, or like a session of the vendor's Python library:
    each may hold the account's one session. Without this process and those it was started by, and without `own` and
    their children."""
    ours, left_out = set(own), _parents(psutil.Process()) | {psutil.Process().pid, *own}
    return tuple(
        program_of(process)
        for process in psutil.process_iter()
        if process.pid not in left_out and looks_like_terminal(_argv(process)) and not ours & _parents(process)
    )


def looks_like_terminal(argv: Sequence[str]) -> bool:
    """Java with the Terminal's jar (or the jar that its bootstrapper keeps in lib/), or Python with the vendor's
    library in its arguments. Who merely names the jar, like an editor or a shell, does not look like one."""
    if not argv:
        return False
    if _JAVA.search(argv[0]):
        return any(_TERMINAL_JAR.search(word) or word.startswith("-Dtd.logDir=") for word in argv[1:])
    return bool(_PYTHON.search(argv[0])) and any(_LIBRARY.search(word) for word in argv[1:])


def program_of(process: psutil.Process) -> Program:
    """What the system tells about a process; what it does not tell is left empty."""
    argv = _argv(process)
    name = started = user = None
    try:
        started = datetime.fromtimestamp(process.create_time(), UTC)
        name = process.name()
        user = process.username()
    except (psutil.Error, OSError, KeyError):
        pass
    return Program(process.pid, masked(argv) or masked([name or "?"]), started, user or "")


def masked(argv: Sequence[str]) -> str:
    """A command line for people: values of secret options and assignments, tokens, e-mail addresses and passwords in
    URLs are hidden, and what follows an address (older Terminals took address and password as two arguments);
    control characters cannot move anybody's cursor. A path after `--creds-file` is no secret and stays."""
    shown, hide_next = [], False
    for word in argv:
        shown.append(INSTEAD if hide_next else _clean(word))
        is_address = bool(_ADDRESS.fullmatch(word))
        hide_next = not hide_next and (bool(_SECRET_OPTION.match(word)) or is_address)
    return " ".join(shown)


def _clean(word: str) -> str:
    return _UNPRINTABLE.sub("?", without_accounts(_SECRET_VALUE.sub(rf"\g<1>{INSTEAD}", word)))


def _listens(connection: object, port: int) -> bool:
    address = getattr(connection, "laddr", None)  # of a UDP or unbound socket an empty tuple
    return getattr(connection, "status", "") == psutil.CONN_LISTEN and getattr(address, "port", None) == port


def _listener(address: object, pid: int | None) -> Listener:
    program = None
    if pid is not None:
        try:
            program = program_of(psutil.Process(pid))
        except psutil.Error:
            program = Program(pid, "?")
    return Listener(str(getattr(address, "ip", "")), int(getattr(address, "port", 0)), program)


def _asked_one_by_one(port: int) -> Iterator[Listener]:
    """The listeners among the processes that may be asked: those of this user."""
    for process in psutil.process_iter():
        try:
            connections: Iterable[object] = process.net_connections("tcp")
        except (psutil.Error, OSError):
            continue
        for connection in connections:
            if _listens(connection, port):
                yield _listener(getattr(connection, "laddr", None), process.pid)


def _argv(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.Error, OSError):
        return []


def _parents(process: psutil.Process) -> set[int]:
    try:
        return {parent.pid for parent in process.parents()}
    except (psutil.Error, OSError):
        return set()

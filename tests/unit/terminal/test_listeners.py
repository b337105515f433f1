"""Who listens, who looks like a Terminal, and that no secret is shown."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from thetabulk.redaction import INSTEAD as HIDDEN
from thetabulk.terminal import listeners as module
from thetabulk.terminal.listeners import Listener, is_free, listeners, lookalikes, looks_like_terminal, masked


@contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[int]:
    with socket.create_server((host, 0)) as server:
        yield server.getsockname()[1]


def test_a_listener_is_named_with_its_process() -> None:
    """Pid, command, since when and whose."""
    with listening() as port:
        (found,) = listeners(port)
        assert (found.address, found.port) == ("127.0.0.1", port)
        assert found.program is not None
        assert found.program.pid == os.getpid()
        assert found.program.user == psutil.Process().username()
        assert found.program.started is not None
        assert found.program.started <= datetime.now(UTC)
        assert not is_free(port)
    assert listeners(port) == ()
    assert is_free(port)


def test_every_interface_is_seen_as_such() -> None:
    """The Terminal binds 0.0.0.0, whatever its settings say (thetadata-v3.md §4.2)."""
    with listening("0.0.0.0") as port:
        assert [each.address for each in listeners(port)] == ["0.0.0.0"]


def test_where_only_root_may_list_connections_processes_are_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS without root: one's own processes can be asked."""

    def refused(kind: str) -> list[object]:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refused)
    with listening() as port:
        (found,) = listeners(port)
        assert found.program is not None
        assert found.program.pid == os.getpid()
    assert listeners(port) == ()


def test_an_owner_that_only_root_may_know_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody listens, and nobody says who."""

    def refused(*_: object) -> list[object]:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refused)
    monkeypatch.setattr(psutil.Process, "net_connections", refused)
    with listening() as port:
        assert listeners(port) == (Listener("", port, None),)


@pytest.mark.parametrize(
    ("argv", "is_one"),
    [
        (["java", "-jar", "ThetaTerminalv3.jar"], True),
        (["/usr/lib/jvm/bin/java", "-Xmx4g", "-jar", "/opt/theta/ThetaTerminal.jar"], True),
        (["C:\\jdk\\bin\\java.exe", "-jar", "C:\\theta\\thetaterminalv3.jar"], True),
        (["java", "-Dtd.logDir=/tmp", "-jar", "lib/202607271.jar"], True),
        (["python3.12", "-m", "thetadata"], True),
        (["/venv/bin/python", "-c", "import thetadata; …"], True),
        (["/venv/bin/python", "/home/me/thetadata/fetch.py"], True),
        (["vim", "ThetaTerminalv3.jar"], False),
        (["bash", "-c", "java -jar ThetaTerminalv3.jar"], False),
        (["java", "-jar", "minecraft.jar"], False),
        (["python", "notes_about_thetadata_things.py"], False),
        ([], False),
    ],
)
def test_what_looks_like_a_terminal(argv: list[str], is_one: bool) -> None:
    """The jar in a Java's arguments, the vendor's library in a Python's; not whoever names them."""
    assert looks_like_terminal(argv) is is_one


def test_a_running_lookalike_is_found_unless_it_is_ours(tmp_path: Path) -> None:
    """A real process; with `own` it is left out, as its children would be."""
    script = tmp_path / "thetadata.py"
    script.write_text("input()")
    command = [sys.executable, str(script), "--api-key", "td1_canary"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        found = {program.pid: program for program in lookalikes()}
        assert process.pid in found
        assert "canary" not in found[process.pid].command
        assert process.pid not in {program.pid for program in lookalikes(own=[process.pid])}
        assert os.getpid() not in found
        process.communicate(b"\n")


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["java", "--api-key", "canary"], f"java --api-key {HIDDEN}"),
        (["java", "--api-key=canary"], f"java --api-key={HIDDEN}"),
        (["java", "--creds", "canary", "-Xmx4g"], f"java --creds {HIDDEN} -Xmx4g"),
        (["java", "--creds-file", "/home/me/creds.txt"], "java --creds-file /home/me/creds.txt"),
        (["java", "--password", "canary"], f"java --password {HIDDEN}"),
        (["java", "-Dmy.password=canary", "-Xms1g"], f"java -Dmy.password={HIDDEN} -Xms1g"),
        (["env", "THETADATA_API_KEY=canary", "java"], f"env THETADATA_API_KEY={HIDDEN} java"),
        (["sh", "-c", "THETADATA_API_KEY=canary java -jar x"], f"sh -c THETADATA_API_KEY={HIDDEN} java -jar x"),
        (["java", "td1_canary-9"], f"java {HIDDEN}"),
        (["java", "-jar", "t.jar", "me@canary.example", "canary", "x"], f"java -jar t.jar {HIDDEN} {HIDDEN} x"),
        (["curl", "http://me:canary@host/x"], f"curl http://{HIDDEN}@host/x"),
        (["java", "--port", "25503"], "java --port 25503"),
        (["a\x1b[2Jb", "c\u202ed"], "a?[2Jb c?d"),
    ],
)
def test_no_secret_is_shown(argv: list[str], shown: str) -> None:
    """Nor a control character, which could rewrite the screen."""
    assert masked(argv) == shown
    assert "canary" not in masked(argv)


def test_a_process_that_is_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the list and the question it may have ended."""

    class Gone:
        pid = 4242

        def __getattr__(self, name: str) -> object:
            raise psutil.NoSuchProcess(4242)

    assert module.program_of(Gone()) == module.Program(4242, "?", None, "")

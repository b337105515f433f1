"""The ways out of the program: a command that is run, a heartbeat that is written."""

import asyncio
import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from thetabulk.assembly.heartbeat import write
from thetabulk.assembly.outlets import Outlet, Outlets, run_command
from thetabulk.config import IncidentConfig
from thetabulk.events import Event, Notice

DOCUMENT = {
    "event": "incident",
    "cause": "drive-gone",
    "what": "of me@example.org, password=hunter2",
    "you": ["td1_abc"],
}


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *arguments)


COPY = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"


async def test_a_command_gets_the_incident_on_its_input(tmp_path: Path) -> None:
    """As one line of JSON, without a shell: its arguments are its own."""
    target = tmp_path / "a file; touch b"
    assert await run_command(python(COPY, str(target)), DOCUMENT, timeout_s=20) == ""
    assert json.loads(target.read_text()) == DOCUMENT
    assert [entry.name for entry in os.scandir(tmp_path)] == [target.name]


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (python("import sys; sys.exit(3)"), "exit code 3"),
        (("/no/such/program",), "/no/such/program cannot be run (No such file or directory)"),
        (python("import os; os.close(0)"), ""),  # it does not read at all
    ],
)
async def test_what_goes_wrong_with_a_command_is_told(command: tuple[str, ...], problem: str) -> None:
    """And is never an error of the run."""
    assert await run_command(command, DOCUMENT | {"long": "x" * 1_000_000}, timeout_s=20) == problem


async def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    """They are all in a group of their own, so that nobody else's process is hit."""
    child = tmp_path / "pid"
    hang = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "open(sys.argv[1], 'w').write(str(p.pid)); time.sleep(60)"
    )
    running = asyncio.ensure_future(run_command(python(hang, str(child)), DOCUMENT, timeout_s=3.0))
    assert await running == "it was killed after 3 s"
    pid = int(child.read_text())
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{pid} lives")


async def test_accounts_and_secrets_go_nowhere(tmp_path: Path) -> None:
    """Whatever the vendor's words were."""
    target = tmp_path / "told"
    events: list[Event] = []
    outlets = Outlets(IncidentConfig(command=python(COPY, str(target))), events.append)
    outlets.tell(DOCUMENT)
    await outlets.close()
    text = target.read_text()
    for secret in ("me@example.org", "hunter2", "td1_abc"):
        assert secret not in text
    assert json.loads(text)["cause"] == "drive-gone"
    assert events == []


async def test_an_outlet_that_fails_is_told_once_and_goes_on() -> None:
    """In the order of the messages; after a success it is told again."""
    answers, sent, events = ["broken", "broken", "", "broken"], [], list[Event]()

    async def send(document: object) -> str:
        sent.append(document)
        return answers[len(sent) - 1]

    outlet = Outlet("the webhook", send, events.append)
    for number in range(4):
        outlet.tell({"number": number})
    await outlet.close(5.0)
    assert sent == [{"number": number} for number in range(4)]
    assert events == [Notice("the webhook did not take the message: broken", "warning")] * 2


async def test_an_outlet_that_hangs_holds_up_nothing() -> None:
    """Neither the caller nor, for longer than its patience, the end; of a flood the oldest are dropped."""

    async def send(document: object) -> str:
        await asyncio.sleep(3600)
        return ""

    outlet = Outlet("the webhook", send, lambda event: None)
    for number in range(1_000):
        outlet.tell({"number": number})
    assert len(outlet._queue) == 20
    await asyncio.wait_for(outlet.close(0.05), 5)


def test_a_heartbeat_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """No scratch stays; a folder that is not there is told, and not made."""
    path = tmp_path / "beat.json"
    for number in range(3):
        assert write(path, {"number": number}) == ""
        assert json.loads(path.read_text()) == {"number": number}
    assert list(tmp_path.iterdir()) == [path]
    assert write(tmp_path / "gone" / "beat.json", {}) == "No such file or directory"


async def test_a_command_does_not_get_the_vendors_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not log in; the rest of the environment is its own affair."""
    monkeypatch.setenv("THETADATA_API_KEY", "td1_canary")
    monkeypatch.setenv("OF_THE_USER", "kept")
    target = tmp_path / "environment"
    tell = "import os, sys; open(sys.argv[1], 'w').write(repr(dict(os.environ)))"
    assert await run_command(python(tell, str(target)), DOCUMENT, timeout_s=20) == ""
    assert "td1_canary" not in target.read_text()
    assert "'OF_THE_USER': 'kept'" in target.read_text()

"""What a machine writes down about its Terminal, with real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from thetabulk.terminal import host
from thetabulk.terminal.child import Orphan
from thetabulk.terminal.host import Machine, Place, Recipe
from thetabulk.terminal.ownership import TOKEN, mark
from thetabulk.terminal.probe import Probe

URL = "http://127.0.0.1:9"


def machine(folder: Path) -> Machine:
    def recipe() -> Recipe:
        raise AssertionError("nothing is started here")

    return Machine(
        port=9, recipe=recipe, place=Place(folder / "9.json", folder / "9.log", 1_000, 1), probe=Probe(URL, 0.1),
        grace_s=0.2, environment={}, supervisor=None, leashed=False, monotonic=time.monotonic,
    )  # fmt: skip


@pytest.fixture
def ours() -> Iterator[Orphan]:
    """A process that carries our token."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={**os.environ, TOKEN: "canary-token"}
    ) as process:
        yield Orphan(mark(process.pid, "canary-token"))
        process.kill()


async def test_what_no_signal_ends_stays_written_down(
    ours: Orphan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that waits for a hung drive outlives KILL: a later `terminal stop` still finds it, and ends it once it
    can be ended."""

    async def in_vain(*_: object, **__: object) -> str:
        return "KILL"

    first = machine(tmp_path)
    first.remember(ours, {})
    with monkeypatch.context() as patched:
        patched.setattr(host, "end", in_vain)
        assert await first.end(ours) == "KILL"
    first.remember(None, {"state": "absent"})
    second = machine(tmp_path)
    found = second.orphan()
    assert found is not None
    assert found.mark == ours.mark
    assert await second.end(found) == "TERM"
    second.remember(None, {"state": "absent"})
    assert machine(tmp_path).orphan() is None
    assert not psutil.pid_exists(ours.mark.pid) or psutil.Process(ours.mark.pid).status() == psutil.STATUS_ZOMBIE

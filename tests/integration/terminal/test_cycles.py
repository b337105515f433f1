"""Crashes, hangs and taken ports, again and again, with real Java: 0 orphans, 0 signals to foreign processes, and back
in service soon. `pytest -m slow` (`make terminal-release`) does 300 of them."""

import asyncio
import os
import random
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.terminal.conftest import those_of
from tests.integration.terminal.fake import BRIEF, QUICK, Bench, FakeHome, bench, lives, needs_jdk
from tests.integration.terminal.foreigner import Foreigner
from thetabulk.terminal.lifecycle import Limits

pytestmark = needs_jdk

PROMISED_S = 15.0
UNHURRIED = replace(BRIEF, few=10_000)  # the limits in time are the policy's own tests (tests/unit/terminal)
REAL_WAIT_S = Limits().backoff_first_s
"""What the scaled back-off of a first crash is in real time, at most; start and look are not scaled."""


async def crash(working: Bench, pid: int, random_: random.Random) -> float:
    """Not by KILL: that is taken for the kernel's, who was short of memory, and has a policy of its own."""
    os.kill(pid, random_.choice((signal.SIGTERM, signal.SIGABRT)))
    return time.monotonic()


async def hang(working: Bench, pid: int, random_: random.Random) -> float:
    """Counted from when it is seen to hang: until then it is in service, as far as anybody can know."""
    os.kill(pid, signal.SIGSTOP)
    await working.until(lambda: working.supervisor.status.state == "ending", 20)
    return time.monotonic()


async def lose_port(working: Bench, pid: int, random_: random.Random) -> float:
    """It dies, and somebody else has its port for a moment."""
    os.kill(pid, signal.SIGABRT)
    await working.until(lambda: not lives(pid))
    squatter = socket.socket()
    squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        squatter.bind(("127.0.0.1", working.home.port))
        squatter.listen()
        await asyncio.sleep(0.3)
    except OSError:
        pass  # the new one was quicker
    finally:
        squatter.close()
    return time.monotonic()


async def cycle(home: FakeHome, state: Path, count: int) -> list[float]:
    """The seconds out of service of each cycle."""
    random_ = random.Random(f"{count}")
    settings = replace(QUICK, hang_s=0.4, probe_timeout_s=0.2, stop_grace_s=1.0, port_wait_s=5.0)
    working = bench(home, state, settings=settings, limits=UNHURRIED)
    working.begin()
    pid = await working.until_ready()
    seconds = []
    try:
        for number in range(count):
            home.tell(**({"fork": "child-lives-on"} if number % 4 == 3 else {}))  # of the next one
            fault = random_.choice((crash, crash, hang, lose_port))
            begun = await fault(working, pid, random_)
            await working.until(lambda old=pid: working.supervisor.status.pid not in (None, old), 30)  # type: ignore[misc]
            pid = await working.until_ready(30)
            seconds.append(time.monotonic() - begun + (REAL_WAIT_S if fault is crash else 0.0))
    finally:
        await working.end()
    assert those_of(home) == []
    return seconds


async def run_cycles(home: FakeHome, tmp_path: Path, count: int) -> None:
    decoy = "-jar", str(tmp_path / "elsewhere" / "ThetaTerminalv3.jar")
    with Foreigner(tmp_path, *decoy) as foreigner:
        seconds = sorted(await cycle(home, tmp_path / "state", count))
        assert foreigner.untouched, foreigner.signals()
    p95 = seconds[int(len(seconds) * 0.95)]
    print(f"\n{count} cycles: median {seconds[len(seconds) // 2]:.1f} s, p95 {p95:.1f} s, 0 orphans, 0 foreign signals")  # noqa: T201
    assert p95 <= PROMISED_S


@pytest.mark.timeout(300)
async def test_twenty_cycles(home: FakeHome, tmp_path: Path) -> None:
    """The tier of every run."""
    await run_cycles(home, tmp_path, 20)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
async def test_three_hundred_cycles(home: FakeHome, tmp_path: Path) -> None:
    """The tier of a release."""
    await run_cycles(home, tmp_path, 300)


def test_the_foreigner_would_tell(tmp_path: Path) -> None:
    """The witness of the tests above is seen to see."""
    with Foreigner(tmp_path) as foreigner:
        assert foreigner.untouched
        os.kill(foreigner.pid, signal.SIGHUP)
        deadline = time.monotonic() + 10
        while not foreigner.signals() and time.monotonic() < deadline:
            pass
        assert foreigner.signals() == ["SIGHUP"]
        assert not foreigner.untouched

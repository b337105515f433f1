"""A real Java process under supervision: it comes up, falls down in every way, and comes back (rows D1 to D5)."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psutil
import pytest

from tests.integration.terminal.fake import Bench, FakeHome, bench, lives, needs_jdk
from thetabulk.errors import TerminalUnavailable
from thetabulk.events import BytesReceived, TerminalStarted, TerminalStopped
from thetabulk.model import Collection, Shard, Tier
from thetabulk.terminal.listeners import is_free

pytestmark = needs_jdk


def stops(working: Bench) -> list[TerminalStopped]:
    return [event for event in working.events if isinstance(event, TerminalStopped)]


async def test_it_comes_up_tells_its_entitlement_and_goes_in_good_order(home: FakeHome, tmp_path: Path) -> None:
    """Absolute Java, the credentials file in its arguments and nothing else of them; asked to stop, it stops."""
    working = bench(home, tmp_path / "state")
    working.begin()
    pid = await working.until_ready()
    status = working.supervisor.status
    assert (status.ownership, status.requests) == ("owned", 8)
    assert status.tiers == {"stock": Tier.STANDARD, "option": Tier.PRO, "index": Tier.FREE, "rate": Tier.FREE}
    argv = psutil.Process(pid).cmdline()
    assert Path(argv[0]).is_absolute()
    assert argv[1:] == ["-Xmx64m", "-jar", str(home.jar), "--creds-file", str(home.creds)]
    assert os.getsid(pid) == pid
    assert await working.end() == "asked"
    assert not lives(pid)
    assert is_free(home.port)
    assert (home.count("starts"), home.count("ends")) == (1, 1)
    assert len(working.of(TerminalStarted)) == 1


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"exit_after_ms": 300, "exit_code": 3}, "it exited with code 3"),
        ({"exit_after_ms": 300, "exit_code": 0}, "it exited with code 0"),
    ],
)
async def test_it_exits_by_itself(home: FakeHome, tmp_path: Path, told: dict[str, object], said: str) -> None:
    """D1: an exit, also with 0, is told with its code and its last lines, and it is started again."""
    working = bench(home, tmp_path / "state")
    home.tell(**told)
    working.begin()
    await working.until(lambda: stops(working))
    home.tell()
    await working.until(lambda: working.supervisor.status.state == "ready" and home.count("starts") == 2)
    (stopped,) = stops(working)
    assert said in stopped.message
    assert "leaving, as told" in stopped.message
    assert stopped.cause == "exited"
    await working.end()


async def test_it_is_killed_from_outside(home: FakeHome, tmp_path: Path) -> None:
    """D1: TERM by whomever; it is back, with another pid, after a short wait."""
    working = bench(home, tmp_path / "state")
    working.begin()
    pid = await working.until_ready()
    os.kill(pid, signal.SIGTERM)
    await working.until(lambda: stops(working))
    assert await working.until_ready() != pid
    assert "code 143" in stops(working)[0].message
    await working.end()


async def test_it_exits_at_once(home: FakeHome, tmp_path: Path) -> None:
    """D1: at every start. No more than three restarts in any window; then it waits."""
    home.tell(say="some reason of its own", exit_after_ms=0, exit_code=2, deaf=1)
    working = bench(home, tmp_path / "state")
    working.begin()
    await working.until(lambda: len(stops(working)) == 4)
    last = stops(working)[-1]
    assert "some reason of its own" in working.log()
    assert last.next_s is not None
    assert last.next_s > 1.0
    assert "3 restarts within" in last.why
    assert home.count("starts") == 4
    await working.end()


@pytest.mark.parametrize("hang", [lambda home, pid: home.tell(hang=1), lambda home, pid: os.kill(pid, signal.SIGSTOP)])
async def test_it_hangs(home: FakeHome, tmp_path: Path, hang: Callable[[FakeHome, int], None]) -> None:
    """D2: it accepts and never answers, or stands still (SIGSTOP): ended with what it takes, and restarted once."""
    working = bench(home, tmp_path / "state")
    working.begin()
    pid = await working.until_ready()
    hang(home, pid)
    await working.until(lambda: stops(working))
    home.tell()
    assert await working.until_ready() != pid
    (stopped,) = stops(working)
    assert stopped.cause == "hangs"
    assert "no sign of life for 1 s" in stopped.message
    assert not lives(pid)
    await working.end()


async def test_data_that_flow_are_life_and_spare_the_probes(home: FakeHome, tmp_path: Path) -> None:
    """While bytes arrive nobody asks, and a Terminal that would not answer a probe does not count as hanging."""
    shard = Shard(Collection("option/quote", "1m", "QQQ"), date(2024, 8, 2))
    working = bench(home, tmp_path / "state")
    working.begin()
    pid = await working.until_ready()
    home.tell(hang=1)
    asked = home.count("asked")
    until = asyncio.get_running_loop().time() + 2.0
    while asyncio.get_running_loop().time() < until:
        working.supervisor.hear(BytesReceived(shard, 1000))
        await asyncio.sleep(0.05)
    assert stops(working) == []
    assert home.count("asked") <= asked + 1
    assert lives(pid)
    await working.end()


async def test_a_foreign_terminal_has_the_port(home: FakeHome, tmp_path: Path) -> None:
    """D3: it is adopted: used, told, never stopped."""
    with home.run() as foreign:
        working = bench(home, tmp_path / "state")
        await working.until(lambda: not is_free(home.port))
        working.begin()
        await working.until(lambda: working.supervisor.status.ownership == "adopted")
        assert working.supervisor.status.pid == foreign.pid
        assert working.supervisor.capacity() > 0
        assert await working.end() == ""
        assert foreign.poll() is None
        assert home.count("starts") == 1
        foreign.terminate()


async def test_a_foreign_program_has_the_port(home: FakeHome, tmp_path: Path) -> None:
    """D3: something that answers nothing. It is named with its pid; after the wait it is given up, with nothing
    started, so that no session of the account is taken from anybody."""
    with socket.create_server(("127.0.0.1", home.port)):
        working = bench(home, tmp_path / "state")
        working.begin()
        assert working.task is not None
        with pytest.raises(TerminalUnavailable, match=rf"port {home.port} is taken by pid {os.getpid()} "):
            await asyncio.wait_for(working.task, 20)
        assert home.count("starts") == 0
        await working.end()


async def test_the_genuine_bind_exception(home: FakeHome, tmp_path: Path) -> None:
    """D3: the port is taken between our look and its start. No restart loop: who has it is told, it is waited for,
    and one try is made when it is free."""
    home.tell(late_ms=600)
    working = bench(home, tmp_path / "state")
    working.begin()
    await working.until(lambda: home.count("starts") == 1)
    with socket.create_server(("127.0.0.1", home.port)):
        await working.until(lambda: stops(working))
        (stopped,) = stops(working)
        assert stopped.cause == "port-taken"
        assert f"pid {os.getpid()}" in stopped.message
        assert "java.net.BindException: Address already in use" in working.log()
    await working.until_ready()
    assert home.count("starts") == 2
    await working.end()


async def test_a_port_in_time_wait_is_no_obstacle(home: FakeHome, tmp_path: Path) -> None:
    """D3: connections that were closed a moment ago stand in nobody's way."""
    with socket.create_server(("127.0.0.1", home.port)) as server:
        client = socket.create_connection(("127.0.0.1", home.port))
        peer, _ = server.accept()
        peer.close()  # the server's side goes to TIME_WAIT
        client.close()
    assert is_free(home.port)
    working = bench(home, tmp_path / "state")
    working.begin()
    await working.until_ready()
    await working.end()


@pytest.mark.parametrize("fork", ["child-lives-on", "child-serves"])
async def test_a_child_that_outlives_java(home: FakeHome, tmp_path: Path, fork: str) -> None:
    """D4: the vendor's bootstrapper starts the real Terminal. Whatever it started goes with it, by the token."""
    home.tell(fork=fork)
    working = bench(home, tmp_path / "state")
    working.begin()
    pid = await working.until_ready()
    await working.until(lambda: home.count("starts") == 2)
    child = int((home.folder / "starts").read_text().split("\n")[1].split()[0])
    assert lives(child)
    os.kill(pid, signal.SIGKILL)  # the child is alone now
    home.tell()
    await working.until(lambda: stops(working))
    await working.until(lambda: not lives(child))
    assert await working.until_ready() != pid
    await working.end()


async def test_a_stubborn_one_is_killed_with_its_child(home: FakeHome, tmp_path: Path) -> None:
    """Asked, then TERM, then KILL: a stopped process hears no TERM."""
    home.tell(fork="child-lives-on", stubborn=1)
    working = bench(home, tmp_path / "state")
    working.begin()
    pid = await working.until_ready()
    await working.until(lambda: home.count("starts") == 2)
    os.kill(pid, signal.SIGSTOP)
    assert await working.end() == "KILL"
    assert not lives(pid)
    assert is_free(home.port)
